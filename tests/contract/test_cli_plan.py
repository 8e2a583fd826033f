"""Going on with a study, and learning from an earlier one: what is taken over, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from itertools import count
from pathlib import Path

import pytest

from orchestrator.cli.plan import StudyPlan
from orchestrator.cli.planning import plan_study
from orchestrator.cli.resume import earlier, resumed
from orchestrator.cli.searcher import searcher_of
from orchestrator.cluster import Cluster
from orchestrator.errors import UsageError
from orchestrator.experiment import Experiment, load_experiment
from orchestrator.plain import identity
from orchestrator.result import best_of
from orchestrator.several import Searched, Several, contenders, has_measured
from orchestrator.study import run_study
from orchestrator.tracking.port import COMPARED
from tests.fakes.tracker import MemoryTracker
from tests.fakes.trials import SerialBackend

DIGITS = Path(__file__).parents[2] / "search_spaces" / "digits.yaml"
SVHN = DIGITS.with_name("svhn.yaml")
NOTHING = {"trials": None, "seed": None, "algorithm": None, "budget": None, "stop_early": None}
CLUSTER = Cluster("local", "", "proxy", ())


class Watcher:
    def study_started(self, study_id):
        """Nothing."""

    def trial_started(self, number, configuration, confirms):
        """Nothing."""

    def trial_finished(self, result, incumbent):
        """Nothing."""


def throughput(application) -> float:
    deployment = application["deployments"][0]
    return 100 + 50 * min(deployment["user_config"]["max_batch_size"], 16)


class Interrupted(SerialBackend):
    """Runs so many trials, and no more."""

    def __init__(self, trials: int) -> None:
        super().__init__(self._throughput)
        self._left = trials

    def _throughput(self, application):
        if not self._left:
            raise KeyboardInterrupt
        self._left -= 1
        return throughput(application)


class Late(SerialBackend):
    """Its measurements cannot be trusted."""

    def __init__(self) -> None:
        super().__init__(throughput)
        run = self.load.run
        self.load.run = lambda *arguments: replace(run(*arguments), invalid=("the client was late",))


def conduct(plan: StudyPlan, tracker: MemoryTracker, backend=None):
    learned_from = plan.warm_start.study_id if plan.warm_start else None
    return run_study(
        plan.experiment,
        searcher_of(plan, CLUSTER, parallel=1),
        backend or SerialBackend(throughput),
        tracker,
        Watcher(),
        {},
        plan.resumed,
        learned_from,
    )


def experiment(**search) -> Experiment:
    return load_experiment(DIGITS).with_overrides(trials=8, **search)


@pytest.fixture
def tracker():
    return MemoryTracker(clock=count().__next__)


def interrupted(tracker, after, **search) -> str:
    with pytest.raises(KeyboardInterrupt):
        conduct(StudyPlan(experiment(**search)), tracker, Interrupted(after))
    return tracker.studies()[0].study_id


def configurations(study):
    return [(trial.number, identity(trial.configuration)) for trial in study.trials]


@pytest.mark.parametrize("algorithm", ["hyperopt", "random"])
@pytest.mark.parametrize("after", [1, 5, 10], ids=["the baseline", "some trials", "all trials and a replication"])
def test_an_interrupted_study_goes_on_as_if_nothing_had_happened(tracker, algorithm, after):
    whole = conduct(StudyPlan(experiment(algorithm=algorithm)), MemoryTracker())
    study_id = interrupted(tracker, after, algorithm=algorithm)
    plan = resumed(tracker, study_id, None, None)
    study = conduct(plan, tracker)
    assert study.study_id == study_id
    assert configurations(study) == configurations(whole)
    assert tracker.studies()[0].status == "FINISHED"


def test_a_finished_study_can_be_given_more_trials_and_is_confirmed_anew(tracker):
    first = conduct(StudyPlan(experiment()), tracker)
    study = conduct(resumed(tracker, first.study_id, None, 3), tracker)
    assert configurations(study)[: len(first.trials)] == configurations(first)
    assert len(study.trials) == len(first.trials) + 3
    assert study.confirmation is not None
    assert len(study.replications) == len(first.replications)
    assert configurations(tracker.load_study(study.study_id)) == configurations(study)


def test_a_finished_study_is_not_gone_on_with_unless_trials_are_added(tracker):
    study = conduct(StudyPlan(experiment()), tracker)
    with pytest.raises(UsageError, match="has all of its 8 trials: --more N adds some"):
        resumed(tracker, study.study_id, None, None)


def test_options_of_the_first_command_hold_when_it_is_gone_on_with(tracker):
    plan = resumed(tracker, interrupted(tracker, 2, seed=5, algorithm="random"), None, None)
    assert (plan.experiment.search.seed, plan.experiment.search.algorithm) == (5, "random")
    assert plan.experiment.search.trials == 8


def changed_file(tmp_path, old, new) -> Path:
    text = DIGITS.read_text()
    assert old in text
    file = tmp_path / "digits.yaml"
    file.write_text(text.replace(old, new))
    return file


def test_a_study_of_another_load_cannot_be_gone_on_with(tracker, tmp_path):
    study_id = interrupted(tracker, 2)
    file = changed_file(tmp_path, "concurrency: 32", "concurrency: 16")
    with pytest.raises(UsageError, match=rf"load changed since study .* --warm-start {study_id[:8]}"):
        resumed(tracker, study_id, file, None)


def test_a_new_study_starts_with_what_an_earlier_one_found_best(tracker):
    first = conduct(StudyPlan(experiment(seed=3)), tracker)
    told = earlier(tracker, first.study_id, experiment())
    second = conduct(StudyPlan(experiment(), warm_start=told), tracker)
    assert second.study_id != first.study_id
    assert len(second.trials) == 9
    assert second.trials[1].configuration == best_of(first.trials, maximize=True).configuration
    assert tracker.origin(second.study_id).warm_start == first.study_id


def test_a_study_that_learned_from_another_still_does_when_it_is_gone_on_with(tracker):
    first = conduct(StudyPlan(experiment(seed=3)), tracker)
    plan = StudyPlan(experiment(), warm_start=earlier(tracker, first.study_id, experiment()))
    whole = conduct(plan, tracker)
    with pytest.raises(KeyboardInterrupt):
        conduct(plan, tracker, Interrupted(4))
    again = resumed(tracker, tracker.studies()[0].study_id, None, None)
    assert again.warm_start.study_id == first.study_id
    assert configurations(conduct(again, tracker)) == configurations(whole)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("concurrency: 32", "concurrency: 16", "load of that study"),
        ("serve_apps.classifier:build", "elsewhere:build", "was about serve_apps.classifier:build"),
    ],
    ids=["another load", "another application"],
)
def test_what_a_study_of_something_else_says_is_not_listened_to(tracker, tmp_path, old, new, said):
    study = conduct(StudyPlan(experiment()), tracker)
    with pytest.raises(UsageError, match=said):
        earlier(tracker, study.study_id, load_experiment(changed_file(tmp_path, old, new)))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({}, "name an experiment file, or a study"),
        ({"file": DIGITS, "more": 3}, "--more adds trials to an earlier study"),
        ({"resume": "1f3e", "overrides": {**NOTHING, "seed": 3}}, "--seed cannot be changed"),
        ({"resume": "1f3e", "warm_start": "abc"}, "--warm-start cannot be changed"),
        ({"resume": "1f3e", "quick": True}, "--quick cannot be changed"),
        ({"file": SVHN, "warm_start": "abc"}, "--warm-start is for one workload: name it with --workload"),
        ({"file": SVHN, "workload": "2-clients"}, "has no workload '2-clients'; there are 1-client"),
    ],
    ids=["nothing", "more of nothing", "another seed", "another warm start", "quick", "of several", "unknown"],
)
def test_arguments_that_contradict_each_other_are_refused(arguments, said):
    given = {"file": None, "overrides": NOTHING, "resume": None, "more": None, "warm_start": None, **arguments}
    with pytest.raises(UsageError, match=said):
        plan_study(**given, tracking_uri=None)


def test_a_file_with_workloads_is_a_study_for_each_of_them_or_for_the_one_that_is_named():
    def planned(**arguments):
        plan = plan_study(SVHN, {**NOTHING, "trials": 3}, None, None, None, None, **arguments)
        return [(one.experiment.title, one.experiment.search.trials) for one in plan.of_each_workload()]

    names = ["svhn:1-client", *(f"svhn:{count}-clients" for count in (5, 10, 20, 30, 40, 50, 60))]
    assert planned() == [(name, 3) for name in names]
    assert planned(workload="5-clients") == [(names[1], 3)]
    assert planned(quick=True) == [(names[0], 3), (names[-1], 3)]


def test_the_study_of_one_workload_is_gone_on_with_as_what_it_was(tracker):
    of_one = load_experiment(SVHN).with_overrides(trials=4, algorithm="random").of_workload("5-clients")
    with pytest.raises(KeyboardInterrupt):
        conduct(StudyPlan(of_one), tracker, Interrupted(2))
    (begun,) = tracker.studies()
    assert begun.name == "svhn:5-clients"
    plan = resumed(tracker, begun.study_id, None, None)
    assert plan.experiment.load.traffic.concurrency == 5
    assert len(conduct(plan, tracker).trials) == 5


def test_a_first_look_stays_one_when_it_is_gone_on_with(tracker):
    with pytest.raises(KeyboardInterrupt):
        conduct(StudyPlan(load_experiment(DIGITS).quick()), tracker, Interrupted(2))
    plan = resumed(tracker, tracker.studies()[0].study_id, None, None)
    assert plan.experiment.measure == load_experiment(DIGITS).quick().measure
    assert plan.experiment.confirm == load_experiment(DIGITS).quick().confirm


def begin_workloads(tracker, finished: int):
    """A run over the workloads of svhn that comes so far: so many studies to their end, the next one interrupted."""
    whole = load_experiment(SVHN).with_overrides(trials=4, algorithm="random")
    for one in whole.workloads[:finished]:
        conduct(StudyPlan(one), tracker)
    with pytest.raises(KeyboardInterrupt):
        conduct(StudyPlan(whole.workloads[finished]), tracker, Interrupted(2))


def states(plan):
    return ["there" if one.finished else "begun" if one.resumed else "new" for one in plan.of_each_workload()]


def test_an_interrupted_run_over_workloads_goes_on_where_it_was(tracker):
    begin_workloads(tracker, finished=2)
    plan = resumed(tracker, "svhn", None, None)
    assert states(plan) == ["there", "there", "begun", *["new"] * 5]
    assert {one.experiment.search.trials for one in plan.of_each_workload()} == {4}
    begun, new = plan.of_each_workload()[2:4]
    assert len(begun.resumed.trials) == 2
    assert (new.experiment.title, new.experiment.search.algorithm) == ("svhn:20-clients", "random")


def test_studies_of_an_earlier_run_over_the_workloads_are_left_alone(tracker):
    begin_workloads(tracker, finished=4)
    begin_workloads(tracker, finished=1)
    assert states(resumed(tracker, "svhn", None, None)) == ["there", "begun", *["new"] * 6]


def test_workloads_that_are_all_searched_are_still_compared_but_once(tracker):
    whole = load_experiment(SVHN).quick().with_overrides(trials=1)
    for one in whole.workloads:
        conduct(StudyPlan(one), tracker)
    plan = resumed(tracker, "svhn", None, None)
    assert states(plan) == ["there", "there"]
    studies = {one.experiment.variant: Searched(one.resumed) for one in plan.of_each_workload()}
    tracker.add_comparison("svhn", Several(studies, (), {}), {}, "")
    assert states(resumed(tracker, "svhn", None, None)) == ["there", "there"], "something else was compared"
    tracker.add_comparison("svhn", Several(studies, contenders([*studies.values()]), {}), {}, "")
    with pytest.raises(UsageError, match="svhn: all 2 workloads are searched and compared: --more N adds trials"):
        resumed(tracker, "svhn", None, None)
    assert states(resumed(tracker, "svhn", None, 3)) == ["begun", "begun"]


def test_workloads_whose_comparison_cannot_be_trusted_are_compared_again(tracker):
    whole = load_experiment(SVHN).quick().with_overrides(trials=1)
    studies = {one.variant: Searched(conduct(StudyPlan(one), tracker)) for one in whole.workloads}
    first = whole.workloads[0]
    compared = first.model_copy(update={"variant": f"{first.variant}.{COMPARED}"})
    late = conduct(StudyPlan(compared), tracker, Late())
    listed = contenders([*studies.values()])
    tracker.add_comparison("svhn", Several(studies, listed, {first.variant: late}), {}, "")
    plan = resumed(tracker, "svhn", None, None)
    assert states(plan) == ["there", "there"]
    assert not has_measured(plan.parts[0].compared, listed)


def test_what_was_compared_before_the_interruption_is_kept(tracker):
    whole = load_experiment(SVHN).quick().with_overrides(trials=1)
    for one in whole.workloads:
        conduct(StudyPlan(one), tracker)
    first, second = whole.workloads
    compared = first.model_copy(update={"variant": f"{first.variant}.{COMPARED}"})
    study = conduct(StudyPlan(compared), tracker)
    with pytest.raises(KeyboardInterrupt):
        conduct(
            StudyPlan(second.model_copy(update={"variant": f"{second.variant}.{COMPARED}"})), tracker, Interrupted(1)
        )
    plan = resumed(tracker, "svhn", None, None)
    assert [one.compared and one.compared.study_id for one in plan.parts] == [study.study_id, None]
    assert all(one.compared is None for one in resumed(tracker, "svhn", None, 2).parts), "others may be found"


def test_a_budget_for_the_rest_holds_for_each_workload(tracker):
    begin_workloads(tracker, finished=1)
    plan = resumed(tracker, "svhn", None, None).with_overrides({"budget": "10m"})
    assert {one.experiment.search.budget for one in plan.of_each_workload()} == {600.0}
