"""A number of requests in the section `measure`: what it has to suffice for, and what `check` says of it."""

import io

import pytest
from rich.console import Console

from orchestrator.cli.check import print_check
from orchestrator.errors import ExperimentError
from orchestrator.experiment import load_experiment

FILE = """\
app: {import_path: "serve_apps.classifier:build", args: {model: digits}, deployments: [{name: Classifier}]}
space: {args.model: {choice: [digits, other]}}
"""
CLOSED = "load: {closed_loop: {concurrency: 2}}\n"
THROUGHPUT = "objective: {maximize: throughput_rps}\n"
HIGHEST = "load: {max_rate: {}}\nslo: {p99_ms: 50}\nobjective: {maximize: max_rate_rps}\n"


@pytest.fixture
def load(tmp_path):
    def load(requests, rest):
        (tmp_path / "x.yaml").write_text(f"{FILE}measure: {{requests: {requests}}}\n{rest}")
        return load_experiment(tmp_path / "x.yaml")

    return load


ENOUGH = {
    "a throughput": (20, CLOSED + THROUGHPUT),
    "a mean": (20, CLOSED + "objective: {minimize: latency_mean_ms}\nslo: {mean_ms: 50}\n"),
    "a p99": (459, CLOSED + "objective: {minimize: latency_p99_ms}\n"),
    "a limit on the p99": (481, CLOSED + THROUGHPUT + "slo: {p99_ms: 50}\n"),
    "a limit on errors": (481, CLOSED + THROUGHPUT + "slo: {error_ratio: 0.01}\n"),
    "the highest rate": (481, HIGHEST),
}


@pytest.mark.parametrize(("fewest", "rest"), ENOUGH.values(), ids=ENOUGH)
def test_so_many_requests_are_the_fewest_that_say_what_is_asked(load, fewest, rest):
    assert load(fewest, rest).measure.requests == fewest
    with pytest.raises(ExperimentError, match=rf"measure.requests: {fewest - 1} are too few: .* takes {fewest} at "):
        load(fewest - 1, rest)


@pytest.mark.parametrize(
    ("requests", "rest", "says"),
    [
        pytest.param(5, THROUGHPUT, "5 are too few: any figure takes 20 at least", id="no figure at all"),
        pytest.param(
            3413,
            "objective: [{maximize: goodput_rps}, {minimize: latency_p99.9_ms}]\n",
            "3,413 are too few: the p99.9 as an objective takes 4,603 at least",
            id="a further objective",
        ),
        pytest.param(
            3413,
            THROUGHPUT + "slo: {p99_ms: 50, max_ms: 500}\n",
            "3,413 are too few: to show that the SLO's max is kept takes 4,826 at least",
            id="the hardest of several limits",
        ),
        pytest.param(0, THROUGHPUT, "expected a number of at least 1, found 0", id="none"),
        pytest.param(1.5, THROUGHPUT, "expected a whole number, found 1.5", id="a half"),
    ],
)
def test_too_few_requests_are_refused_with_what_they_are_too_few_for(load, requests, rest, says):
    with pytest.raises(ExperimentError) as caught:
        load(requests, CLOSED + rest)
    assert [str(problem) for problem in caught.value.problems] == [f"line 3: measure.requests: {says}"]


@pytest.mark.parametrize(
    ("rest", "says"),
    [
        pytest.param(CLOSED + THROUGHPUT, "2 to 15 s, until 3,413 requests have succeeded", id="one load"),
        pytest.param(HIGHEST, "2 to 15 s, at each rate until 3,413 requests have succeeded", id="several"),
    ],
)
def test_check_says_how_many_requests_end_a_window(load, rest, says):
    console = Console(width=140, record=True, file=io.StringIO())
    print_check(console, load(3413, rest))
    assert says in console.export_text()
