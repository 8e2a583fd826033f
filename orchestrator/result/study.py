"""What comes out of a study: its trials, and what they say."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from orchestrator.pareto import pareto_front
from orchestrator.result.across import Across, across
from orchestrator.result.confirmation import Confirmation, Ratio
from orchestrator.result.trial import BASELINE, Objective, Status, TrialResult


@dataclass(frozen=True)
class StudyResult:
    """One search: its trials in order of their numbers, the replications that confirm them, and what they say.

    It is led by `objective`, a figure of which more is better if `maximize`; `further` has the objectives beside it.
    """

    study_id: str
    name: str
    algorithm: str
    seed: int
    maximize: bool
    objective: str
    trials: tuple[TrialResult, ...]
    further: tuple[Objective, ...] = ()
    replications: tuple[TrialResult, ...] = ()
    confirmation: Confirmation | None = None
    pruned: Mapping[str, int] = field(default_factory=dict)  # configurations not worth deploying, by the reason
    inputs: str = ""  # where the requests come from, in words; "" where that is not known
    across: str = ""  # the knob for all of whose values one configuration is to be found; "" without one

    @property
    def objectives(self) -> tuple[Objective, ...]:
        """All of them in the file's order."""
        return (Objective(self.objective, self.maximize), *self.further)

    @property
    def is_offline(self) -> bool:
        """Whether its trials ran a job; false where none has been measured."""
        return any(trial.is_offline for trial in self.trials)

    @property
    def baseline(self) -> TrialResult | None:
        """The trial of the file's own config, if it ended."""
        return self.trial(BASELINE)

    @property
    def best(self) -> TrialResult | None:
        """The best by its replications; without a confirmation the incumbent. None when nothing keeps the SLO."""
        if self.confirmation is None:
            return best_of(self.trials, self.maximize)
        return self.trial(self.confirmation.best)

    @property
    def front(self) -> tuple[TrialResult, ...]:
        """The trials to choose from: no other within the SLO is better in one objective and worse in none.

        With a single objective that is the best trial, and any that equals it.
        """
        candidates = contenders(self.trials)
        points = [trial.score.values for trial in candidates if trial.score is not None]
        return tuple(candidates[i] for i in pareto_front(points, [goal.maximize for goal in self.objectives]))

    @property
    def compromise(self) -> Across | None:
        """What the configurations come to under all values of the knob `across`; None without one."""
        return across(self.across, self.trials, self.replications, self.maximize) if self.across else None

    @property
    def recommended(self) -> TrialResult | None:
        """The trial to deploy: the simplest of those that cannot be told from the best.

        With `across` it is the one for all values of that knob, as it was measured under the first of them.
        """
        if (found := self.compromise) is not None:
            cell = found.cell(found.values[0], found.robust.configuration) if found.robust else None
            return cell.trial if cell is not None else None
        return self.best if self.confirmation is None else self.trial(self.confirmation.recommended)

    @property
    def gain(self) -> Mapping[str, Ratio]:
        """Best over baseline: `throughput` as best / baseline, `p99` as baseline / best, so that more is better.

        Without a confirmation these are ratios of single measurements, and nobody knows how far to trust them.
        """
        if self.confirmation is not None:
            return self.confirmation.gain
        best, baseline = self.best, self.baseline
        if best is None or baseline is None or best.measurement is None or baseline.measurement is None:
            return {}
        return {
            "throughput": Ratio(_ratio(best.measurement.items_rate, baseline.measurement.items_rate)),
            "p99": Ratio(_ratio(baseline.measurement.latency_p99_ms, best.measurement.latency_p99_ms)),
        }

    def trial(self, number: int | None) -> TrialResult | None:
        """The trial of that number; None where there is none."""
        return next((trial for trial in self.trials if trial.number == number), None)


def contenders(trials: Sequence[TrialResult]) -> list[TrialResult]:
    """The complete trials that were shown to keep the SLO; where there is none, those whose figures keep it."""
    feasible = [t for t in trials if t.status is Status.COMPLETE and t.score is not None and t.score.feasible]
    return [t for t in feasible if t.score is not None and t.score.shown] or feasible


def best_of(trials: Sequence[TrialResult], maximize: bool) -> TrialResult | None:
    """The contender with the best score by the first objective; the earliest of equals."""
    return min(contenders(trials), key=lambda t: (t.score.rank(maximize), t.number), default=None)  # type: ignore[union-attr]


def _ratio(numerator: float, denominator: float) -> float:
    return numerator / denominator if denominator > 0 else math.nan
