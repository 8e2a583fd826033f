"""What `orchestrator run` does on a cluster: one study after the other, and where there are several, a comparison."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from orchestrator.backend.port import Suggestions
from orchestrator.backend.tune import TuneBackend
from orchestrator.cli.display import StudyDisplay
from orchestrator.cli.plan import StudyPlan
from orchestrator.cli.searcher import searcher_of
from orchestrator.cluster import Cluster, ask_cluster
from orchestrator.environment import describe_environment, serve_variables
from orchestrator.experiment import Experiment
from orchestrator.result import Configuration, StudyResult
from orchestrator.search import ListedSearch
from orchestrator.several import Searched, Several, contenders, has_measured
from orchestrator.study import run_study
from orchestrator.tracking.port import COMPARED, Tracker
from orchestrator.workload.inputs import inputs_text


@dataclass(frozen=True)
class Session:
    """A cluster with Ray Serve, a store, and what shows how it goes."""

    cluster: Cluster
    tracker: Tracker
    display: StudyDisplay

    def conduct(self, plan: StudyPlan) -> tuple[Searched, str]:
        """The study of a plan, and why its search ended before all of its trials were made; "" if they were.

        One that is finished is only looked at.
        """
        if plan.finished and plan.resumed is not None:
            return Searched(plan.resumed, searcher_of(plan, self.cluster, parallel=1).random_trials), ""
        self.display.begin(plan.experiment, len(plan.resumed.trials) if plan.resumed else 0)
        backend = self._backend()
        searcher = searcher_of(plan, self.cluster, backend.parallel)
        learned_from = plan.warm_start.study_id if plan.warm_start else None
        study = run_study(
            plan.experiment,
            searcher,
            backend,
            self.tracker,
            self.display,
            self._environment(plan.experiment),
            plan.resumed,
            learned_from,
        )
        return Searched(study, searcher.random_trials), searcher.ending

    def compare(self, searched: Mapping[str, Searched], plans: Sequence[StudyPlan]) -> Several:
        """Measures what came out of each workload's study under all of them, if there is anything but the baseline.

        A workload under which an earlier run has measured the same configurations is not measured again, unless one of
        the measurements could not be trusted.
        """
        listed = contenders(searched.values())
        found = {str(one.experiment.variant): searched[one.experiment.title] for one in plans}
        worth = plans if len(listed) > 1 else ()
        compared = {str(one.experiment.variant): self._compared(one, listed) for one in worth}
        return Several(found, listed, compared)

    def _compared(self, plan: StudyPlan, listed: Sequence[Configuration]) -> StudyResult:
        before = plan.compared
        return before if before and has_measured(before, listed) else self._measure(plan.experiment, listed)

    def _measure(self, experiment: Experiment, listed: Sequence[Configuration]) -> StudyResult:
        search = experiment.search.model_copy(update={"algorithm": "listed", "trials": len(listed) - 1})
        changes = {"search": search, "variant": f"{experiment.variant}.{COMPARED}"}
        return self.measure(experiment.model_copy(update=changes), ListedSearch(listed))

    def measure(self, experiment: Experiment, searcher: Suggestions, again: str = "") -> StudyResult:
        """The study of what `searcher` suggests; `again` is as of `StudyDisplay.begin`."""
        self.display.begin(experiment, again=again)
        environment = self._environment(experiment)
        return run_study(experiment, searcher, self._backend(), self.tracker, self.display, environment)

    def _backend(self) -> TuneBackend:
        return TuneBackend(self.cluster, on_phases=self.display.watch)

    def _environment(self, experiment: Experiment) -> dict:
        if experiment.is_offline:
            return describe_environment(None)  # nothing is served
        facts = describe_environment(self.cluster.data_plane, ask_cluster(serve_variables))
        return {**facts, "inputs": inputs_text(experiment.workload, experiment.file.parent)}
