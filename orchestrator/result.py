"""What comes out of a trial and of a study. Frozen values; a trial without a measurement has reasons instead."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from orchestrator.measure.measurement import Measurement
from orchestrator.measure.samples import Samples
from orchestrator.measure.verdict import Verdict, overall
from orchestrator.pareto import pareto_front

Configuration = Mapping[str, Any]
"""{knob path: value}; only the active knobs of a conditional space are present."""

BASELINE = 0
"""Number of the trial that measures the file's own config; the searcher's trials count from 1."""


class Status(str, Enum):
    """How a trial ended."""

    COMPLETE = "COMPLETE"  # measured
    INFEASIBLE = "INFEASIBLE"  # this configuration cannot be deployed here
    INVALID = "INVALID"  # measured, but the numbers cannot be trusted
    FAILED = "FAILED"  # the application or the measurement broke

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True)
class Objective:
    """A figure of a trial, by its name, and whether it is to be as large or as small as the SLO allows."""

    metric: str
    maximize: bool

    def __str__(self) -> str:
        return f"{self.direction} {self.metric}"

    @property
    def direction(self) -> str:
        """As in the experiment file: maximize or minimize."""
        return "maximize" if self.maximize else "minimize"


@dataclass(frozen=True)
class Score:
    """How good a trial is: `value` in the objective's own unit, `violation` >= 0 its graded distance from the SLO.

    A violation of 0 means that the figures keep the SLO; 0.5 that the worst limit is exceeded by half. `shown`: there
    were requests enough to say so with confidence. `values` has the figure of each objective in the file's order, the
    first of them `value`; `half_widths` half of their 95 % intervals, NaN where there is none.
    """

    value: float
    violation: float
    shown: bool = True
    values: tuple[float, ...] = ()
    half_widths: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        values = self.values or (self.value,)
        half_widths = self.half_widths or (math.nan,) * len(values)
        if len(half_widths) != len(values):
            raise ValueError(f"{len(values)} values cannot have {len(half_widths)} half-widths")
        object.__setattr__(self, "values", values)
        object.__setattr__(self, "half_widths", half_widths)

    @property
    def feasible(self) -> bool:
        """Whether the figures keep the SLO."""
        return self.violation == 0


@dataclass(frozen=True)
class TrialResult:
    """One configuration under one load.

    `overhead_s` is `wall_s` less warm-up and measuring: what it cost to get to the configuration and back.
    `verdicts` has, by limit of the SLO, whether it was shown to hold; `details` further figures by name: where the
    time went, and what the machine was used for. `batches` counts batches by their size. `explanation` says what
    limits the configuration. `serve_config` is the exact Serve config that was applied, in the trial's slot;
    `export_config` is the same configuration as a user deploys it. `samples` is dropped once it is stored.
    """

    number: int
    configuration: Configuration
    status: Status
    reasons: tuple[str, ...] = ()
    measurement: Measurement | None = None
    score: Score | None = None
    verdicts: Mapping[str, Verdict] = field(default_factory=dict)
    details: Mapping[str, float] = field(default_factory=dict)
    batches: Mapping[int, float] = field(default_factory=dict)
    explanation: str = ""
    wall_s: float = 0.0
    overhead_s: float = 0.0
    serve_config: Mapping[str, Any] = field(default_factory=dict)
    export_config: Mapping[str, Any] = field(default_factory=dict)
    samples: Samples | None = None

    def __post_init__(self) -> None:
        if self.status is Status.COMPLETE and (self.measurement is None or self.score is None):
            raise ValueError("a COMPLETE trial has a measurement and a score")
        if self.status in (Status.FAILED, Status.INFEASIBLE) and self.score is not None:
            raise ValueError(f"a trial that is {self.status} has no score")
        if self.status is not Status.COMPLETE and not self.reasons:
            raise ValueError(f"a trial that is {self.status} states its reasons")

    @property
    def verdict(self) -> Verdict | None:
        """On the whole SLO; None without a measurement."""
        return overall(self.verdicts) if self.measurement is not None else None


@dataclass(frozen=True)
class StudyResult:
    """One search: its trials in order of their numbers, and what they say.

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

    @property
    def objectives(self) -> tuple[Objective, ...]:
        """All of them in the file's order."""
        return (Objective(self.objective, self.maximize), *self.further)

    @property
    def baseline(self) -> TrialResult | None:
        """The trial of the file's own config, if it ended."""
        return next((trial for trial in self.trials if trial.number == BASELINE), None)

    @property
    def best(self) -> TrialResult | None:
        """The best complete trial within the SLO (the incumbent); None when there is none."""
        return best_of(self.trials, self.maximize)

    @property
    def front(self) -> tuple[TrialResult, ...]:
        """The trials to choose from: no other within the SLO is better in one objective and worse in none.

        With a single objective that is the best trial, and any that equals it.
        """
        candidates = contenders(self.trials)
        points = [trial.score.values for trial in candidates if trial.score is not None]
        return tuple(candidates[i] for i in pareto_front(points, [goal.maximize for goal in self.objectives]))

    @property
    def gain(self) -> dict[str, float] | None:
        """Best over baseline: `throughput` as best / baseline, `p99` as baseline / best, so that more is better."""
        best, baseline = self.best, self.baseline
        if best is None or baseline is None or best.measurement is None or baseline.measurement is None:
            return None
        return {
            "throughput": _ratio(best.measurement.throughput_rps, baseline.measurement.throughput_rps),
            "p99": _ratio(baseline.measurement.latency_p99_ms, best.measurement.latency_p99_ms),
        }


def contenders(trials: Sequence[TrialResult]) -> list[TrialResult]:
    """The complete trials that were shown to keep the SLO; where there is none, those whose figures keep it."""
    feasible = [t for t in trials if t.status is Status.COMPLETE and t.score is not None and t.score.feasible]
    return [t for t in feasible if t.score is not None and t.score.shown] or feasible


def best_of(trials: Sequence[TrialResult], maximize: bool) -> TrialResult | None:
    """The contender with the best score by the first objective; the earliest of equals."""
    sign = 1 if maximize else -1
    return max(contenders(trials), key=lambda t: (sign * t.score.value, -t.number), default=None)  # type: ignore[union-attr]


def _ratio(numerator: float, denominator: float) -> float:
    return numerator / denominator if denominator > 0 else float("nan")
