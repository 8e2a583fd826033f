"""A checklist's rounds as a study: trials in the first, replications after that, and all of it kept."""

from __future__ import annotations

import pytest
from ray.tune.search import Searcher

from orchestrator.checklist import Candidate, End, Kind, Rounds, answers, facts_of, tried
from orchestrator.checklist.items import BATCHING, INT8, SYSTEM
from orchestrator.cli.checklist import as_study
from orchestrator.errors import DeploymentFailedError
from orchestrator.result import Status
from orchestrator.search import RoundsSearch
from orchestrator.study import run_study
from tests.fakes.checklists import experiment
from tests.fakes.tracker import MemoryTracker
from tests.fakes.trials import SerialBackend

SIZE, REPLICAS = "Classifier.user_config.max_batch_size", "Classifier.num_replicas"
BATCH, MORE = Candidate(BATCHING, {SIZE: 32}), Candidate(SYSTEM, {REPLICAS: 2})
BYTES = Candidate(INT8, {"args.precision": "int8"}, asks="precision")


class Silent:
    def study_started(self, study_id):
        pass

    def trial_started(self, number, configuration, confirms):
        pass

    def trial_finished(self, result, incumbent):
        pass


def rate_of(application):
    (entry,) = application["deployments"]
    return 100.0 * entry["num_replicas"] * (1.5 if entry["user_config"]["max_batch_size"] == 32 else 1.0)


def refuse(application):
    unknown = application["args"].keys() - {"model"}
    return DeploymentFailedError(f"ValueError: unknown args {sorted(unknown)}") if unknown else None


@pytest.fixture
def gone_through():
    """The study of a checklist on an application that knows no precision, and the rounds that led to it."""
    one = experiment()
    rounds = Rounds([BATCH, MORE, BYTES], maximize=True, precision=0.05)
    backend, tracker = SerialBackend(rate_of), MemoryTracker()
    backend.serving.fails = refuse
    study = run_study(as_study(one, rounds), RoundsSearch(rounds), backend, tracker, Silent(), {})
    return one, rounds, study, tracker, backend


def test_the_first_round_is_trials_and_what_follows_replications_of_them(gone_through):
    _, _, study, tracker, backend = gone_through
    assert [trial.number for trial in study.trials] == [0, 1, 2, 3, 4]
    assert [trial.status for trial in study.trials if trial.status is Status.FAILED] == [Status.FAILED] * 2
    again = [(one.number, one.confirms, one.replication) for one in study.replications]
    assert again == [(5, 3, 0), (6, 2, 0), (7, 0, 0), (8, 0, 1), (9, 2, 1), (10, 3, 1)]
    assert len(backend.serving.cleared) == 6, "each is deployed afresh"
    assert tracker.finished == [study]
    assert study.confirmation.recommended == 3


def test_what_was_measured_answers_the_items(gone_through):
    one, rounds, study, *_ = gone_through
    came = tried(study, rounds.candidates, rounds.control, 0.05)
    assert [each.end for each in came] == [End.GAIN, End.GAIN, End.REFUSED]
    found = {each.item: each for each in answers(facts_of(one, study), came, [])}
    assert found[BATCHING].gain.value == pytest.approx(1.5, abs=0.02)
    assert found[SYSTEM].change == {REPLICAS: 2}
    assert found[INT8].kind is Kind.NOT_APPLICABLE


def test_one_turn_at_a_time_and_a_lost_trial_is_a_failed_one():
    search = RoundsSearch(Rounds([BATCH], maximize=True, precision=0.05))
    assert search.suggest("a") == {"number": 0, "configuration": {}}
    assert search.suggest("b") is None
    search.on_trial_complete("a", None, error=True)
    assert search.suggest("b") == Searcher.FINISHED, "without a baseline there is nothing to compare with"


def test_when_its_time_is_over_none_follows():
    search = RoundsSearch(Rounds([BATCH], maximize=True, precision=0.05), budget_s=0)
    assert search.suggest("a") == Searcher.FINISHED
    assert search.is_late


def test_it_goes_on_from_a_checkpoint(tmp_path):
    search = RoundsSearch(Rounds([BATCH], maximize=True, precision=0.05))
    again = RoundsSearch(Rounds([], maximize=True, precision=0.05))
    search.suggest("a")
    search.save(str(tmp_path / "state"))
    again.restore(str(tmp_path / "state"))
    assert again.suggest("b") is None
    again.on_trial_complete("a", {"status": "COMPLETE", "value": 5.0, "violation": 0.0, "half_widths": [0.1]})
    assert again.suggest("b") == {"number": 1, "configuration": {SIZE: 32}}
