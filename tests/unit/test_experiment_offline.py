"""`mode: offline` in an experiment file: what it means, and what is told of sections that mean nothing to it."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.errors import ExperimentError
from orchestrator.experiment import load_experiment
from orchestrator.experiment.quick import TRIALS, trimmed
from orchestrator.result import Objective
from tests.fakes.studies import space

PROFILE = Path(__file__).parents[2] / "search_spaces" / "profile.yaml"
FILE = """\
mode: offline
app: {import_path: "jobs:build", args: {batch_size: 1, model: small}}
objective: {maximize: items_per_s}
space: {args.batch_size: {choice: [1, 8]}}
"""


def experiment_of(tmp_path, text=FILE, **sections):
    """The file, with other or more sections."""
    lines = [line for line in text.splitlines() if line.partition(":")[0] not in sections]
    lines += [f"{key}: {value}" for key, value in sections.items() if value is not None]
    (tmp_path / "x.yaml").write_text("\n".join(lines))
    return load_experiment(tmp_path / "x.yaml")


def problems_of(tmp_path, **sections):
    with pytest.raises(ExperimentError) as caught:
        experiment_of(tmp_path, **sections)
    return [str(problem) for problem in caught.value.problems]


def test_an_offline_experiment_needs_no_load(tmp_path):
    experiment = experiment_of(tmp_path)
    assert experiment.is_offline
    assert experiment.load.closed_loop.concurrency == 1, "the next step begins when the last one has ended"
    assert experiment.baseline() == {"args.batch_size": 1}
    assert experiment.objective == Objective("items_per_s", maximize=True)


def test_serving_is_the_default(tmp_path):
    assert problems_of(tmp_path, mode=None) == [
        "load: is missing; for example {closed_loop: {concurrency: 32}}",
    ]
    assert "line 4: mode: unknown mode 'ofline'; did you mean 'offline'? allowed: serving, offline" in problems_of(
        tmp_path, mode="ofline"
    )


MEANINGLESS = {
    "load": ({"load": "{closed_loop: {concurrency: 2}}"}, "load: means nothing with mode: offline; a job has no req"),
    "workload": ({"workload": "{payloads: x.jsonl}"}, "workload: means nothing with mode: offline; a job has no requ"),
    "workloads": ({"workloads": "[{name: a}]"}, "workloads: means nothing with mode: offline; these are loads of"),
    "prices": ({"prices": "{node_hour: 1}"}, "prices: means nothing with mode: offline; prices are those of requ"),
    "errors": ({"slo": "{error_ratio: 0.1}"}, "slo.error_ratio: means nothing with mode: offline; a step that"),
    "ceiling": ({"measure": "{ceiling: false}"}, "measure.ceiling: means nothing with mode: offline; there is no pr"),
    "requests": (
        {"measure": "{requests: 100}"},
        "measure.requests: means nothing with mode: offline; a job has no req",
    ),
    "data plane": ({"cluster": "{data_plane: proxy}"}, "cluster.data_plane: means nothing with mode: offline; a job"),
    "deployments": (
        {"app": '{import_path: "jobs:build", args: {batch_size: 1}, deployments: [{name: A}]}'},
        "app.deployments: is an option of Ray Serve, and a job is not served; its keys are import_path and args",
    ),
    "an option of a deployment": (
        {"space": "{A.num_replicas: {choice: [1, 2]}, args.batch_size: {choice: [1, 2]}}"},
        "'A.num_replicas' is no argument of a job; its knobs are arguments, such as args.batch_size",
    ),
    "items in a request": (
        {"space": "{load.items_per_request: {choice: [1]}, args.batch_size: {choice: [1, 2]}}"},
        "is no argument of a job",
    ),
    "an option within a branch": (
        {"space": "{args.model: {condition: {small: {A.x: {choice: [1]}}}}, args.batch_size: {choice: [1, 2]}}"},
        "space.args.model: 'A.x' is no argument of a job",
    ),
    "requests per second": (
        {"objective": "{maximize: throughput_rps}"},
        "objective.maximize: with mode: offline the objective is {maximize: items_per_s}, or the time of a step",
    ),
    "cost": ({"objective": "{minimize: cost_per_million}"}, "a job has no such figure"),
}


@pytest.mark.parametrize(("sections", "told"), MEANINGLESS.values(), ids=MEANINGLESS)
def test_what_means_nothing_to_a_job_is_told_in_one_sentence(tmp_path, sections, told):
    (problem,) = problems_of(tmp_path, **sections)
    assert problem.startswith("line ")
    assert told in problem


def test_what_is_missing_is_told_in_the_words_of_jobs(tmp_path):
    assert problems_of(tmp_path, app=None, space=None, objective=None) == [
        "app: is missing; the job: import_path: module:build, and its args",
        "objective: is missing; for example {maximize: items_per_s}",
        "space: is missing; the arguments to tune and their ranges, such as args.batch_size: {choice: [1, 8, 64]}",
    ]


@pytest.mark.parametrize("objective", ["{minimize: latency_mean_ms}", "{minimize: latency_p95_ms}"])
def test_the_time_of_a_step_may_be_the_objective_and_have_limits(tmp_path, objective):
    experiment = experiment_of(tmp_path, objective=objective, slo="{mean_ms: 100}")
    assert experiment.slo.limits() == {"latency_mean_ms": 100}


TRIMMED = {
    "numbers: the lower half, for large batches take longest": (
        {"a": {"choice": [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024]}},
        {"a": (1, 8, 32)},
    ),
    "names: both ends": ({"a": {"choice": ["p", "q", "r"]}}, {"a": ("p", "r")}),
    "a single one": ({"a": {"choice": [5]}}, {"a": (5,)}),
    "a range stays": ({"a": {"randint": [1, 9]}}, {"a": None}),
}


@pytest.mark.parametrize(("knobs", "kept"), TRIMMED.values(), ids=TRIMMED)
def test_a_first_look_is_at_few_values(knobs, kept):
    found = trimmed(space(**knobs))
    assert {path: getattr(knob, "values", None) for path, knob in found.knobs.items()} == kept


def test_a_first_look_at_conditions_is_at_few_branches():
    branch = {"n": {"choice": [1, 2, 3, 4]}}
    found = trimmed(space(model={"condition": {"a": branch, "b": branch, "c": branch}}))
    assert found.knobs["model"].listed() == ("a", "c")
    assert [one.space.knobs["n"].values for one in found.knobs["model"].branches] == [(1, 2, 3)] * 2


def test_a_quick_profile_is_a_small_grid_measured_for_a_short_time():
    quick = load_experiment(PROFILE).quick()
    assert quick.space.size() == TRIALS == quick.search.trials
    assert quick.measure.max_s < load_experiment(PROFILE).measure.max_s
    assert quick.confirm.top == 0


def test_the_profile_measures_every_point_of_its_grid_once():
    profile = load_experiment(PROFILE)
    assert profile.space.contains(profile.baseline()), "the baseline is one of them"
    assert profile.search.trials == profile.space.size() - 1
