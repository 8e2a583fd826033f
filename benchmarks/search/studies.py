"""One study on a case, and what would be recommended after each of its measurements."""

from __future__ import annotations

import time
from dataclasses import dataclass

from benchmarks.search.bystanders import NoTracker, Unwatched
from benchmarks.search.case import Case
from benchmarks.search.replayed import ReplayBackend
from orchestrator.backend.port import Suggestions
from orchestrator.cli.plan import StudyPlan
from orchestrator.cli.searcher import searcher_of as run_searcher
from orchestrator.cluster import Cluster
from orchestrator.experiment import Experiment
from orchestrator.result import Configuration, TrialResult
from orchestrator.study import run_study


@dataclass(frozen=True)
class Strategy:
    """An algorithm with settings of its own; `text` is how it stands on the command line: `grid:levels=3`."""

    text: str

    @property
    def algorithm(self) -> str:
        """Its name."""
        return self.text.partition(":")[0]

    @property
    def settings(self) -> dict[str, float]:
        """Its settings, by name."""
        given = [setting.partition("=") for setting in self.text.partition(":")[2].split(",") if setting]
        return {name: float(value) if "." in value else int(value) for name, _, value in given}


@dataclass(frozen=True)
class Outcome:
    """Of a study: after each measurement, the baseline's first, the regret of what was best so far; and at the end.

    `regret` is that of the winner of the confirmation. What is recommended may be another one, the simplest of those
    that cannot be told from it: `of_recommended` is its regret, `violates` says whether it breaks the SLO in truth.
    `seconds` is CPU time of the whole study.
    """

    regrets: tuple[float, ...]
    regret: float
    of_recommended: float
    violates: bool
    seconds: float


PLACE = Cluster("", "", data_plane="haproxy", trial_nodes=(), trial_resources=({"CPU": 2.0},))
"""Where studies are said to run: on what the surfaces were recorded on."""


def studied(experiment: Experiment, strategy: Strategy, seed: int, trials: int) -> Experiment:
    """The experiment with what its search is to be."""
    return experiment.with_overrides(algorithm=strategy.algorithm, seed=seed, trials=trials, **strategy.settings)


def searcher_of(experiment: Experiment) -> Suggestions:
    """The searcher of a study, as `orchestrator run` makes it: with the rules that prune, and the confirmation."""
    return run_searcher(StudyPlan(experiment), PLACE, parallel=1)


def run_on(case: Case, strategy: Strategy, measurements: int, seed: int) -> Outcome:
    """A study of so many measurements, the baseline among them."""
    began = time.process_time()
    experiment = studied(case.experiment, strategy, seed, measurements - 1)
    incumbents = _Incumbents()
    backend = ReplayBackend(case.replayed, seed)
    result = run_study(experiment, searcher_of(experiment), backend, NoTracker(), incumbents, {})
    best = result.best.configuration if result.best else None
    recommended = result.recommended.configuration if result.recommended else None
    return Outcome(
        regrets=tuple(case.regret(configuration) for configuration in incumbents.configurations),
        regret=case.regret(best),
        of_recommended=case.regret(recommended),
        violates=recommended is not None and not case.keeps_slo(recommended),
        seconds=time.process_time() - began,
    )


class _Incumbents(Unwatched):
    """Watches a study for what is best so far."""

    def __init__(self) -> None:
        self.configurations: list[Configuration | None] = []

    def trial_finished(self, result: TrialResult, incumbent: TrialResult | None) -> None:
        if result.confirms is None:
            self.configurations.append(incumbent.configuration if incumbent else None)
