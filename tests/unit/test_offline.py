"""A whole offline trial with a fake process and a fake clock: what comes out for each way it can end."""

from __future__ import annotations

import math

import pytest

from orchestrator.assignment import Assignment
from orchestrator.errors import DeploymentFailedError, InfeasibleError
from orchestrator.experiment import load_experiment
from orchestrator.measure.race import BEATEN, Rival
from orchestrator.measure.verdict import Verdict
from orchestrator.offline import run_job
from orchestrator.result import Objective, Status
from tests.fakes.jobs import FakeBench

FILE = """\
mode: offline
app: {import_path: "jobs:build", args: {batch_size: 1, model: small}}
measure: {warmup_s: 0.5, warmup_max_s: 4, min_s: 1, max_s: 10}
deploy_timeout_s: 30
objective: {maximize: items_per_s}
space: {args.batch_size: {choice: [1, 8]}}
"""


@pytest.fixture
def experiment(tmp_path):
    def of(**sections):
        text = FILE + "".join(f"{key}: {value}\n" for key, value in sections.items())
        (tmp_path / "x.yaml").write_text(text)
        return load_experiment(tmp_path / "x.yaml")

    return of


def run(experiment, bench=None, configuration=None, phases=None, rival=None):
    bench = bench or FakeBench()
    assignment = Assignment(3, configuration or {"args.batch_size": 8}, rival)
    hear = phases.append if phases is not None else lambda phase: None
    return run_job(assignment, experiment, bench.started, bench.clock, hear)


def test_a_job_that_works_is_complete_with_its_figures(experiment):
    bench, phases = FakeBench(parts={"inference_ms": 9.0}), []
    result = run(experiment(), bench, phases=phases)
    assert result.status is Status.COMPLETE
    assert result.reasons == ()
    assert result.measurement.items_per_s == pytest.approx(800)
    assert result.score.value == pytest.approx(800)
    assert result.details["item_ms"] == pytest.approx(1.25)
    assert result.details["part_inference_ms"] == 9.0
    assert result.details["memory_mib"] == 123.0
    assert result.is_offline
    assert phases == ["start", "prepare", "build", "warm-up", "measure"]
    assert bench.done[:3] == ["start", "prepare", "build"]
    assert bench.done[-1] == "end"
    assert bench.args == {"batch_size": 8, "model": "small"}
    assert result.export_config == {"import_path": "jobs:build", "args": {"batch_size": 8, "model": "small"}}


def test_the_cold_start_is_kept_apart(experiment):
    result = run(experiment(), FakeBench(step_s=lambda number: 5.0 if number == 0 else 0.01))
    assert (result.details["build_s"], result.details["first_step_ms"]) == (0.5, pytest.approx(5000))
    assert result.measurement.latency_max_ms == pytest.approx(10)


def test_warm_up_lasts_until_steps_agree(experiment):
    result = run(experiment(), FakeBench(step_s=lambda number: 0.01 + 0.3 * 0.6**number))
    assert result.measurement.latency_max_ms < 11
    assert result.samples.scheduled_s.min() < 0, "the warm-up is kept too, apart"


def test_a_window_ends_when_the_objective_is_known(experiment):
    assert run(experiment()).measurement.duration_s == pytest.approx(1, abs=0.02)


def test_steps_that_never_agree_are_measured_for_as_long_as_may_be(experiment):
    uneven = FakeBench(step_s=lambda number: 0.02 if number % 7 else 0.4)
    assert 8 < run(experiment(), uneven).measurement.duration_s <= 10.5


def uneven_steps() -> FakeBench:
    """Some 550 items a second, not known precisely in ten seconds."""
    return FakeBench(step_s=lambda number: 0.013 + 0.004 * (number * 7 % 11 > 5) if number % 97 else 0.05)


def precise_to(experiment, precision):
    measure = experiment.measure.model_copy(update={"precision": precision})
    return experiment.model_copy(update={"measure": measure})


BEST = Rival(1000.0, 20.0, maximize=True)


@pytest.mark.parametrize(
    ("rival", "is_early"),
    [
        (BEST, True),
        (Rival(600.0, 20.0, maximize=True), False),
        (Rival(1000.0, math.nan, maximize=True), False),
        (None, False),
    ],
    ids=["far better", "a little better", "not known how good", "nobody yet"],
)
def test_a_loser_ends_early_and_says_so(experiment, rival, is_early):
    result = run(precise_to(experiment(), 1e-4), uneven_steps(), rival=rival)
    assert result.status is Status.COMPLETE
    assert (result.measurement.duration_s < 2) == is_early
    assert result.reasons == ((BEATEN,) if is_early else ())


def test_a_loser_does_not_have_to_show_what_it_would_have_kept(experiment):
    result = run(precise_to(experiment(slo="{p99_ms: 1000}"), 1e-4), uneven_steps(), rival=BEST)
    assert (result.status, result.reasons) == (Status.COMPLETE, (BEATEN,))


def test_a_window_has_as_many_steps_as_a_percentile_takes(experiment):
    result = run(experiment(slo="{p99_ms: 1000}"))
    assert (result.status, result.measurement.requests >= 459) == (Status.COMPLETE, True)


@pytest.mark.parametrize("changes", [{"across": "args.model"}, {"search": "grid"}], ids=["across", "grid"])
def test_where_all_are_to_be_known_nobody_ends_early(experiment, changes):
    whole = precise_to(experiment(), 1e-4)
    if "search" in changes:
        changes = {"search": whole.search.model_copy(update={"algorithm": "grid"})}
    assert run(whole.model_copy(update=changes), uneven_steps(), rival=BEST).measurement.duration_s > 8


def test_three_slow_steps_are_enough_and_less_are_not(experiment):
    assert run(experiment(), FakeBench(step_s=lambda number: 3.3)).measurement.requests == 3
    slower = run(experiment(), FakeBench(step_s=lambda number: 3.4))
    assert slower.status is Status.INFEASIBLE
    assert slower.reasons == ("a step takes 3.4 s, and 3, which are the least, do not fit into measure.max_s, 10 s",)


INFEASIBLE = {
    "not built in time": (
        FakeBench(build_s=31),
        "the job was not built within deploy_timeout_s, 30 s",
    ),
    "a first step without an end": (
        FakeBench(step_s=lambda number: 29.6),
        "its first step did not end within deploy_timeout_s: building took 0.5 of 30 s",
    ),
    "a later step without an end": (
        FakeBench(step_s=lambda number: 0.01 if number < 5 else 1e9),
        "a step did not end within measure.max_s, 10 s, and 3 have to fit into that",
    ),
    "no memory": (FakeBench(errors={"steps": InfeasibleError("no memory")}), "no memory"),
}


@pytest.mark.parametrize(("bench", "reason"), INFEASIBLE.values(), ids=INFEASIBLE)
def test_what_cannot_be_had_is_infeasible_and_its_process_ends(experiment, bench, reason):
    result = run(experiment(), bench)
    assert result.status is Status.INFEASIBLE
    assert result.reasons == (reason,)
    assert result.wall_s == result.overhead_s
    assert bench.done[-1] == "end"


@pytest.mark.parametrize("where", ["prepare", "build", "steps"])
def test_a_job_that_raises_has_failed(experiment, where):
    bench = FakeBench(errors={where: DeploymentFailedError("step() raised KeyError: 'x'")})
    result = run(experiment(), bench)
    assert (result.status, result.reasons) == (Status.FAILED, ("step() raised KeyError: 'x'",))
    assert bench.done[-1] == "end"


CROWDED = {"machine_busy_share": 0.99, "others_cpu_share": 0.5}


def test_a_crowded_machine_is_found_out_and_the_steps_are_measured_once_more(experiment):
    result = run(experiment(), FakeBench(machine=CROWDED))
    assert result.status is Status.INVALID
    assert "other processes took the machine" in result.reasons[0]
    assert result.measurement is not None


def test_with_warn_it_is_ranked_all_the_same(experiment):
    lenient = experiment()
    lenient = lenient.model_copy(update={"measure": lenient.measure.model_copy(update={"validity": "warn"})})
    result = run(lenient, FakeBench(machine=CROWDED))
    assert result.status is Status.COMPLETE
    assert result.reasons[0].startswith("not to be trusted: other processes took the machine")


def test_a_percentile_that_is_asked_for_needs_its_steps(experiment):
    latency = experiment()
    objective = Objective("latency_p99_ms", maximize=False)
    result = run(latency.model_copy(update={"objectives": (objective,)}), FakeBench(step_s=lambda number: 1.0))
    assert result.status is Status.INVALID
    assert "steps succeeded, and the p99 needs 459 at least" in result.reasons[0]
    assert "raise the load" not in result.reasons[0]


def test_an_slo_limits_the_time_of_a_step(experiment):
    result = run(experiment(slo="{p50_ms: 5}"))
    assert result.verdicts == {"latency_p50_ms": Verdict.FAIL}
    assert result.score.violation == pytest.approx(1)


@pytest.mark.parametrize(("accuracy", "verdict"), [(0.995, Verdict.PASS), (0.98, Verdict.FAIL)])
def test_an_slo_limits_the_accuracy_that_the_job_tells(experiment, accuracy, verdict):
    result = run(experiment(slo="{min_accuracy: 0.99}"), FakeBench(accuracy=accuracy))
    assert result.status is Status.COMPLETE
    assert result.details["accuracy"] == pytest.approx(accuracy)
    assert result.verdicts == {"accuracy": verdict}
    assert (result.score.violation > 0) == (verdict is Verdict.FAIL)


def test_a_job_that_is_asked_for_its_accuracy_has_to_tell_it(experiment):
    result = run(experiment(slo="{min_accuracy: 0.99}"))
    assert result.status is Status.FAILED
    assert result.reasons[0].startswith("slo.min_accuracy is 0.99, but no step tells how accurate the model is")
    assert "accuracy" not in run(experiment()).details


def test_a_trial_says_where_its_time_goes(experiment):
    machine = {"replica_cpu_cores": 1.9, "machine_cores": 2.0}
    result = run(experiment(), FakeBench(parts={"inference_ms": 7.5, "load_ms": 2.0}, machine=machine))
    assert result.explanation == "of a step, inference takes 75%, load takes 20%; 1.9 of 2 cores are busy with it"
