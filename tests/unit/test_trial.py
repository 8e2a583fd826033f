"""A whole trial with fakes and a fake clock: what comes out for each way it can end."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.errors import DeploymentFailedError, InfeasibleError, PayloadError
from orchestrator.experiment import Experiment, load_experiment
from orchestrator.measure.samples import Outcome
from orchestrator.result import Status, TrialResult
from orchestrator.trial import run_trial
from tests.fakes.trials import FakeClock, FakeLoad, FakeServing

DIGITS = Path(__file__).parents[2] / "search_spaces" / "digits.yaml"
BATCH = "Classifier.user_config.max_batch_size"


@pytest.fixture(scope="module")
def experiment() -> Experiment:
    return load_experiment(DIGITS)


def run(experiment, configuration=None, serving=None, load=None, **load_options) -> TrialResult:
    clock = serving.clock if serving else FakeClock()
    serving = serving or FakeServing(clock)
    load = load or FakeLoad(clock, serving, **load_options)
    return run_trial(3, configuration or {BATCH: 16}, experiment, serving, load, clock, lambda phase: None)


def test_a_trial_that_works_is_complete_with_a_measurement_and_a_score(experiment):
    result = run(experiment)
    assert (result.number, result.status, result.reasons) == (3, Status.COMPLETE, ())
    assert result.measurement.throughput_rps == pytest.approx(1000, rel=1e-3)
    assert result.measurement.latency_p99_ms == pytest.approx(10)
    assert result.score.value == result.measurement.throughput_rps
    assert result.score.feasible


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
