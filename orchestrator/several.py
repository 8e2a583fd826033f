"""An experiment with several workloads: what is compared under all of them, and what that says.

Every workload has a study of its own. The configurations that came out of any of them, and the baseline, are then
measured under every workload, one after the other: figures of one session, none of which chose its configuration.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from orchestrator.plain import identity
from orchestrator.result import BASELINE, Configuration, Ratio, Status, StudyResult, TrialResult, best_of
from orchestrator.robust import Standing, compromise, standings


@dataclass(frozen=True)
class Searched:
    """The study of one workload; the first `random_trials` of its trials after the baseline were drawn at random."""

    study: StudyResult
    random_trials: int = 0

    @property
    def best_of_random(self) -> Configuration | None:
        """The best of what was drawn at random, by single measurements; None where nothing else was measured."""
        numbers = range(BASELINE + 1, self.random_trials + 1)
        trials = [trial for trial in self.study.trials if trial.number in numbers]
        if not trials or len(trials) == sum(trial.number != BASELINE for trial in self.study.trials):
            return None
        best = best_of(trials, self.study.maximize)
        return best.configuration if best is not None else None


@dataclass(frozen=True)
class Several:
    """The outcome: studies by workload, and by workload the comparison, whose trials are the contenders in order."""

    searched: Mapping[str, Searched]
    contenders: tuple[Configuration, ...]
    compared: Mapping[str, StudyResult]

    @property
    def maximize(self) -> bool:
        """Whether the objective is to be large."""
        return next(iter(self.searched.values())).study.maximize

    @property
    def standings(self) -> list[Standing[int]]:
        """The contenders by their numbers, the best compromise first; empty where a workload lets none keep the SLO."""
        figures = {
            workload: {trial.number: _figure(trial) for trial in study.trials}
            for workload, study in self.compared.items()
        }
        return standings(figures, self.maximize)

    @property
    def robust(self) -> Standing[int] | None:
        """The contender that is recommended for all workloads; None where none keeps the SLO under all of them."""
        return compromise(self.standings)

    @property
    def obstacle(self) -> str:
        """Why nothing is recommended for all workloads, where nothing is."""
        every = range(len(self.contenders))
        lost = [w for w in self.compared if all(self.measured(w, number) is None for number in every)]
        if lost:
            return f"no measurement under {', '.join(lost)} can be trusted"
        return "no configuration keeps the SLO under every workload"

    @property
    def trusted(self) -> bool:
        """Whether no measurement of the comparison was INVALID."""
        return all(map(_trusted, self.compared.values()))

    @property
    def baseline(self) -> Configuration:
        """The file's own configuration, the first contender."""
        return self.contenders[BASELINE]

    def number(self, configuration: Configuration | None) -> int | None:
        """Of a contender."""
        wanted = identity(configuration) if configuration is not None else None
        return next((n for n, one in enumerate(self.contenders) if identity(one) == wanted), None)

    def gain(self, workload: str, over: Configuration | None) -> Ratio | None:
        """How many times as good what is recommended for a workload is there as another contender, by the comparison.

        None where one of the two was not measured. The interval, at 95 %, is that of the two measurements; exactly 1
        where both are the same contender.
        """
        one = self.measured(workload, self.winner(workload))
        other = self.measured(workload, self.number(over))
        if one is None or other is None:
            return None
        more, less = (one, other) if self.maximize else (other, one)
        return _ratio(more, less)

    def winner(self, workload: str) -> int | None:
        """Number of the contender that a workload's own study recommends; None where it recommends nothing."""
        best = self.searched[workload].study.recommended
        return self.number(best.configuration if best else None)

    def missing(self, workload: str, number: int) -> str:
        """Why a contender that has no regret under a workload has none."""
        return "over SLO" if self.measured(workload, number) is not None else "not measured"

    def measured(self, workload: str, number: int | None) -> TrialResult | None:
        """A contender under a workload, by the comparison; None where it was not measured, or not to be trusted."""
        found = self.compared[workload].trial(number) if workload in self.compared else None
        return found if found is not None and found.status is Status.COMPLETE else None


def contenders(searched: Iterable[Searched]) -> tuple[Configuration, ...]:
    """The baseline, and what each study found best, recommends, and had found at random; each configuration once."""
    every: list[Configuration] = []
    for one in searched:
        study = one.study
        every += [trial.configuration for trial in (study.baseline, study.best, study.recommended) if trial is not None]
        every += [one.best_of_random] if one.best_of_random is not None else []
    return tuple({identity(configuration): configuration for configuration in every}.values())


def has_measured(study: StudyResult, listed: Iterable[Configuration]) -> bool:
    """Whether a study is about these configurations, in their order, and all of it can be trusted."""
    measured = [identity(trial.configuration) for trial in study.trials]
    return _trusted(study) and measured == [identity(one) for one in listed]


def _trusted(study: StudyResult) -> bool:
    return all(trial.status is not Status.INVALID for trial in study.trials)


def _figure(trial: TrialResult) -> float | None:
    """The objective's, where the trial kept the SLO."""
    if trial.status is not Status.COMPLETE or trial.score is None or not trial.score.feasible:
        return None
    return trial.score.value


def _ratio(more: TrialResult, less: TrialResult) -> Ratio:
    """Of two measurements, whose relative half-widths add up as independent errors do (to first order)."""
    if more is less:
        return Ratio(1.0, 1.0, 1.0, 0.95)
    (above, of_above), (below, of_below) = (
        (trial.score.value, trial.score.half_widths[0]) for trial in (more, less) if trial.score is not None
    )
    ratio = above / below
    half = ratio * math.hypot(of_above / above, of_below / below)
    return Ratio(ratio, ratio - half, ratio + half, 0.95)
