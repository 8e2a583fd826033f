"""A whole trial with fakes and a fake clock: what comes out for each way it can end."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from orchestrator.assignment import Assignment
from orchestrator.errors import DeploymentFailedError, InfeasibleError, PayloadError
from orchestrator.experiment import Experiment, load_experiment
from orchestrator.measure.samples import Outcome
from orchestrator.measure.verdict import Verdict
from orchestrator.objective import Prices, Slo
from orchestrator.result import Objective, Status, TrialResult
from orchestrator.trial import Place, run_trial
from tests.fakes.trials import FakeClock, FakeLoad, FakeServing

DIGITS = Path(__file__).parents[2] / "search_spaces" / "digits.yaml"
BATCH = "Classifier.user_config.max_batch_size"


@pytest.fixture(scope="module")
def experiment() -> Experiment:
    return load_experiment(DIGITS)


def run(experiment, configuration=None, serving=None, load=None, place=None, **load_options) -> TrialResult:
    clock = serving.clock if serving else FakeClock()
    serving = serving or FakeServing(clock)
    load = load or FakeLoad(clock, serving, **load_options)
    configuration, place = configuration or {BATCH: 16}, place or Place()
    return run_trial(Assignment(3, configuration), experiment, serving, load, clock, lambda phase: None, place)


def test_a_trial_that_works_is_complete_with_a_measurement_and_a_score(experiment):
    result = run(experiment)
    assert (result.number, result.status, result.reasons) == (3, Status.COMPLETE, ())
    assert result.measurement.throughput_rps == pytest.approx(1000, rel=1e-3)
    assert result.measurement.latency_p99_ms == pytest.approx(10)
    assert result.score.value == result.measurement.throughput_rps
    assert result.score.feasible


def test_a_replication_is_deployed_afresh_and_put_under_the_load_of_its_number(experiment):
    serving = FakeServing(FakeClock())
    load = FakeLoad(serving.clock, serving)
    for replication in (None, None, 0, 2):
        confirms = None if replication is None else 1
        assignment = Assignment(3, {BATCH: 16}, confirms=confirms, replication=replication)
        result = run_trial(assignment, experiment, serving, load, serving.clock, str)
        assert (result.confirms, result.replication) == (confirms, replication)
    assert serving.cleared == [2, 3], "just before the third and the fourth deployment"
    assert [assignment.replication for assignment in load.assignments] == [None, None, 0, 2]
    assert result.overhead_s == pytest.approx(0.8), "to remove what was there is part of it"


@pytest.mark.parametrize("error", [InfeasibleError("still there"), DeploymentFailedError("boom")])
def test_a_replication_that_cannot_be_deployed_still_says_what_it_confirms(experiment, error):
    serving = FakeServing(FakeClock(), fails=lambda application: error)
    load = FakeLoad(serving.clock, serving)
    assignment = Assignment(9, {BATCH: 16}, confirms=4, replication=1)
    result = run_trial(assignment, experiment, serving, load, serving.clock, str)
    assert (result.confirms, result.replication, result.reasons) == (4, 1, (str(error),))


def test_a_trial_that_the_best_one_beats_is_complete_and_says_so(experiment):
    result = run(experiment, beaten=True)
    assert (result.status, result.score.feasible) == (Status.COMPLETE, True)
    assert result.reasons == ("ended early: worse than the best trial so far beyond doubt",)


def test_a_trial_without_as_many_requests_as_were_asked_for_is_complete_and_says_so(experiment):
    result = run(experiment, short_of=3413)
    assert result.status is Status.COMPLETE
    assert result.reasons == (
        "2,000 of the 3,413 requests asked for (measure.requests) succeeded in 2.0 s: measure.max_s, or the last "
        "arrival, ended the window",
    )


def test_overhead_is_all_but_warm_up_and_measuring(experiment):
    result = run(experiment)
    assert result.wall_s == pytest.approx(3.4)
    assert result.overhead_s == pytest.approx(0.4)


def test_the_deployed_config_has_the_knobs_in_it_and_the_slots_name_and_route(experiment):
    serving = FakeServing(FakeClock())
    result = run(experiment, {BATCH: 16}, serving)
    (application,) = serving.deployed
    assert (application["name"], application["route_prefix"]) == ("trial-slot-0", "/trial-slot-0")
    assert application["deployments"][0]["user_config"]["max_batch_size"] == 16
    assert result.serve_config["applications"] == [application]


def test_the_export_is_the_same_configuration_as_a_user_deploys_it(experiment):
    (application,) = run(experiment, {BATCH: 16}).export_config["applications"]
    assert (application["name"], application["route_prefix"]) == ("digits", "/")
    assert application["deployments"][0]["user_config"]["max_batch_size"] == 16
    assert "graceful_shutdown_timeout_s" not in application["deployments"][0]


def test_replicas_are_pinned_to_the_trials_node_and_the_export_is_not(experiment):
    result = run(experiment, serving=FakeServing(FakeClock(), node_id="abc"))
    (deployment,) = result.serve_config["applications"][0]["deployments"]
    assert deployment["ray_actor_options"]["label_selector"] == {"ray.io/node-id": "abc"}
    assert "ray_actor_options" not in result.export_config["applications"][0]["deployments"][0]


@pytest.mark.parametrize(
    ("error", "status"),
    [
        pytest.param(InfeasibleError("no node has 99 CPUs"), Status.INFEASIBLE, id="cannot be placed"),
        pytest.param(DeploymentFailedError("no node has 99 CPUs"), Status.FAILED, id="constructor raised"),
    ],
)
def test_a_deployment_that_does_not_come_up_has_the_reason_and_no_numbers(experiment, error, status):
    result = run(experiment, serving=FakeServing(FakeClock(), fails=lambda application: error))
    assert (result.status, result.reasons) == (status, ("no node has 99 CPUs",))
    assert (result.measurement, result.score, result.samples) == (None, None, None)
    assert result.wall_s == result.overhead_s == pytest.approx(0.4)


def test_a_configuration_that_serve_would_reject_is_infeasible_and_never_deployed(experiment):
    serving = FakeServing(FakeClock())
    result = run(experiment, {"Classifier.num_replicas": -1}, serving)
    assert result.status is Status.INFEASIBLE
    assert "num_replicas" in result.reasons[0]
    assert serving.deployed == []


def test_a_workload_without_payloads_fails_the_trial(experiment):
    assert run(experiment, error=PayloadError("no such function")).status is Status.FAILED


def test_a_trial_without_a_single_success_has_failed_and_keeps_its_samples(experiment):
    result = run(experiment, outcome=lambda index: Outcome.HTTP_ERROR)
    assert result.status is Status.FAILED
    assert result.reasons == ("no request succeeded: 2,000 of 2,000 requests failed: 2,000 × HTTP 500",)
    assert len(result.samples) == 3000


def test_some_failures_are_counted_and_told_but_the_trial_is_complete(experiment):
    result = run(experiment, outcome=lambda index: Outcome.TIMEOUT if index % 100 == 0 else Outcome.OK)
    assert result.status is Status.COMPLETE
    assert result.measurement.error_ratio == pytest.approx(0.01)
    assert result.reasons == ("20 of 2,000 requests failed: 20 × time-out",)
    assert not result.score.feasible  # the SLO allows 0.1 %


LATE = "the client was late: it sent 3 ms after schedule"


def test_a_measurement_that_cannot_be_trusted_makes_the_trial_invalid_with_its_figures_and_reasons(experiment):
    result = run(experiment, invalid=(LATE,), repeated=("the throughput was still drifting",))
    assert (result.status, result.reasons) == (Status.INVALID, (LATE,))
    assert result.measurement.throughput_rps == result.score.value == pytest.approx(1000, rel=1e-3)
    assert len(result.samples) == 3000


def test_where_doubts_are_to_be_told_only_the_trial_is_complete_all_the_same(experiment):
    warn = experiment.model_copy(update={"measure": experiment.measure.model_copy(update={"validity": "warn"})})
    result = run(warn, invalid=(LATE,))
    assert (result.status, result.reasons) == (Status.COMPLETE, (f"not to be trusted: {LATE}",))


def test_a_trial_that_was_measured_again_says_why(experiment):
    result = run(experiment, repeated=(LATE,))
    assert result.status is Status.COMPLETE
    assert result.reasons == (f"measured again, for the first time could not be trusted: {LATE}",)


def test_failures_and_repetitions_are_both_told(experiment):
    result = run(experiment, repeated=(LATE,), outcome=lambda index: Outcome.UNSENT if index == 2000 else Outcome.OK)
    assert result.reasons[0] == "1 of 2,000 requests failed: 1 × never sent"
    assert len(result.reasons) == 2


def test_without_a_single_success_a_trial_has_failed_whatever_else_is_wrong_with_it(experiment):
    result = run(experiment, invalid=("too few samples",), outcome=lambda index: Outcome.BROKEN)
    assert result.status is Status.FAILED
    assert result.reasons == ("no request succeeded: 2,000 of 2,000 requests failed: 2,000 × broken connection",)
    assert (result.score, result.explanation) == (None, "")


@pytest.mark.parametrize(
    ("p99_ms", "verdict", "shown", "feasible"),
    [
        pytest.param(50.0, Verdict.PASS, True, True, id="kept"),
        pytest.param(5.0, Verdict.FAIL, True, False, id="broken"),
    ],
)
def test_the_verdicts_on_the_slo_are_kept_and_scored(experiment, p99_ms, verdict, shown, feasible):
    slo = Slo(p99_ms=p99_ms)
    result = run(experiment.model_copy(update={"slo": slo}), limits=slo.limits())
    assert (result.verdict, result.verdicts) == (verdict, {"latency_p99_ms": verdict})
    assert (result.score.shown, result.score.feasible) == (shown, feasible)


def test_figures_keep_the_slo_but_too_few_requests_do_not_show_it(experiment):
    slo = Slo(p99_ms=50)
    result = run(experiment.model_copy(update={"slo": slo}), limits=slo.limits(), rate_rps=lambda application: 40.0)
    assert result.verdict is Verdict.UNDECIDED
    assert (result.score.feasible, result.score.shown) == (True, False)


def test_a_trial_that_was_not_measured_has_no_verdict(experiment):
    serving = FakeServing(FakeClock(), fails=lambda application: InfeasibleError("no room"))
    assert (run(experiment, serving=serving).verdict, run(experiment).verdict) == (None, Verdict.PASS)


def test_details_say_where_the_time_went_and_what_the_machine_and_the_client_were_used_for(experiment):
    details = run(experiment).details
    assert details["compute_share"] == pytest.approx(0.5)
    assert (details["machine_busy_share"], details["client_cpu_share"]) == (0.5, 0.2)
    assert "ceiling_rps" not in details
    assert all(map(math.isfinite, details.values()))


def test_the_cost_is_that_of_what_the_configuration_reserves_and_goes_against_the_throughput(experiment):
    priced = experiment.model_copy(update={"prices": Prices(cpu_hour=0.36)})
    result = run(priced, {"Classifier.num_replicas": 2})  # a CPU each
    assert result.details["cost_per_million"] == pytest.approx(0.2)  # 0.72 an hour, 3.6 million requests
    assert result.details["cost_per_million_lo"] < 0.2 < result.details["cost_per_million_hi"]
    assert result.score.values == (result.measurement.throughput_rps,)
    assert "cost_per_million" not in run(experiment).details


def test_a_trial_is_scored_by_every_objective(experiment):
    objectives = (Objective("latency_p99_ms", False), Objective("cost_per_million", False))
    wanted = {"objectives": objectives, "prices": Prices(node_hour=3.6)}
    result = run(experiment.model_copy(update=wanted))
    score, throughput = result.score, result.measurement.intervals["throughput_rps"]
    assert score.value == score.values[0] == pytest.approx(10)
    assert score.values[1] == pytest.approx(1)
    assert score.half_widths[1] == pytest.approx(throughput.relative_half_width(1000.0), rel=0.01)


def test_the_ceiling_of_the_trials_place_is_a_detail_and_the_load_hears_of_it(experiment):
    heard = []

    class Listening(FakeLoad):
        def run(self, url, application, assignment, ceiling_rps, on_phase):
            heard.append(ceiling_rps)
            return super().run(url, application, assignment, ceiling_rps, on_phase)

    serving = FakeServing(FakeClock())
    load = Listening(serving.clock, serving)
    result = run(experiment, serving=serving, load=load, place=Place(ceiling_rps=1010.0))
    assert (heard, result.details["ceiling_rps"]) == ([1010.0], 1010.0)


@pytest.mark.parametrize(
    ("configuration", "place", "sentence"),
    [
        pytest.param({BATCH: 64}, Place(), "max_batch_size", id="batches that cannot fill"),
        pytest.param(
            {BATCH: 4}, Place(ceiling_rps=1010.0), "99% of what an application that does nothing reaches", id="ceiling"
        ),
    ],
)
def test_a_measured_trial_says_what_limits_it(experiment, configuration, place, sentence):
    assert sentence in run(experiment, configuration, place=place).explanation


@pytest.mark.parametrize(
    ("accuracy", "status", "feasible", "reason"),
    [
        pytest.param(0.995, Status.COMPLETE, True, "", id="enough"),
        pytest.param(0.9, Status.COMPLETE, False, "", id="too little"),
        pytest.param(math.nan, Status.FAILED, None, "no answer tells how accurate the model is", id="not told"),
    ],
)
def test_a_least_accuracy_is_kept_missed_or_cannot_be_judged(experiment, accuracy, status, feasible, reason):
    slo = Slo(p99_ms=100, min_accuracy=0.99)
    result = run(experiment.model_copy(update={"slo": slo}), accuracy=accuracy)
    assert result.status is status
    assert reason in "".join(result.reasons)
    if result.score is not None:
        assert result.details["accuracy"] == pytest.approx(accuracy)
        assert result.score.feasible is feasible
        assert result.verdicts["accuracy"] is (Verdict.PASS if feasible else Verdict.FAIL)
