"""Where objectives, limits and prices of a file end up: in what is measured, and in what `check` says."""

import io
import re
from pathlib import Path

import pytest
import yaml
from rich.console import Console

from orchestrator.backend.remote_load import rests_on_means, watched_figure
from orchestrator.cli.check import print_check
from orchestrator.experiment import load_experiment

ROOT = Path(__file__).parents[2]
FILE = """\
app:
  import_path: serve_apps.classifier:build
  args: {model: digits}
  deployments: [{name: Classifier, num_replicas: 3, ray_actor_options: {num_cpus: 2, num_gpus: 0.5}}]
space: {args.model: {choice: [digits, other]}}
slo: {p99.9_ms: 50, error_ratio: 0.001}
prices: {cpu_hour: 0.04, gpu_hour: 1.2}
"""
CLOSED, MAX_RATE = "{closed_loop: {concurrency: 1}}", "{max_rate: {}}"


@pytest.fixture
def experiment(tmp_path):
    def experiment(load, *objectives):
        path = tmp_path / "x.yaml"
        path.write_text(f"{FILE}load: {load}\nobjective: [{', '.join(objectives)}]\n")
        return load_experiment(path)

    return experiment


@pytest.mark.parametrize(
    ("load", "objectives", "watched"),
    [
        pytest.param(CLOSED, ["{maximize: throughput_rps}"], "throughput_rps", id="the objective"),
        pytest.param(
            CLOSED, ["{minimize: latency_p75_ms}", "{maximize: throughput_rps}"], "latency_p75_ms", id="the first one"
        ),
        pytest.param(CLOSED, ["{minimize: cost_per_million}"], "throughput_rps", id="what a cost rests on"),
        pytest.param(MAX_RATE, ["{maximize: max_rate_rps}"], "goodput_rps", id="at a rate that is given"),
        pytest.param(MAX_RATE, ["{minimize: cost_per_million}"], "goodput_rps", id="and the cost of it"),
    ],
)
def test_how_long_is_measured_depends_on_the_first_objective(experiment, load, objectives, watched):
    assert watched_figure(experiment(load, *objectives)) == watched


@pytest.mark.parametrize(
    ("slo", "objective", "means_only"),
    [
        ("{mean_ms: 50, error_ratio: 0.01}", "{maximize: throughput_rps}", True),
        ("{mean_ms: 50, p99_ms: 90}", "{maximize: throughput_rps}", False),
        ("{mean_ms: 50}", "{minimize: latency_p75_ms}", False),
    ],
)
def test_a_client_that_is_late_now_and_then_is_forgiven_where_no_percentile_is_asked_for(
    tmp_path, slo, objective, means_only
):
    text = FILE.replace("slo: {p99.9_ms: 50, error_ratio: 0.001}", f"slo: {slo}")
    (tmp_path / "x.yaml").write_text(f"{text}load: {CLOSED}\nobjective: {objective}\n")
    assert rests_on_means(load_experiment(tmp_path / "x.yaml")) == means_only


BLOCKS = re.findall(r"```yaml\n(.*?)```", (ROOT / "docs" / "objectives.md").read_text(encoding="utf-8"), re.DOTALL)


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.split("\n", 1)[0])
def test_the_examples_of_the_guide_can_be_run(tmp_path, block):
    base = {key: value for key, value in yaml.safe_load(FILE).items() if key in ("app", "space")}
    text = yaml.safe_dump({**base, "load": {"closed_loop": {"concurrency": 1}}, **yaml.safe_load(block)})
    (tmp_path / "x.yaml").write_text(text)
    assert load_experiment(tmp_path / "x.yaml").objectives


def test_check_says_what_is_wanted_and_what_it_costs(experiment):
    console = Console(width=140, record=True, file=io.StringIO())
    print_check(console, experiment(CLOSED, "{maximize: goodput_rps}", "{minimize: cost_per_million}"))
    shown = console.export_text()
    assert "objective: maximize goodput_rps, minimize cost_per_million\n" in shown
    assert "SLO:       p99.9 ≤ 50 ms, error_ratio ≤ 0.1 %\n" in shown
    assert "prices:    cpu_hour 0.04, gpu_hour 1.2; the baseline takes 2.04 an hour\n" in shown
