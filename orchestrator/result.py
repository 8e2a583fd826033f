"""What comes out of a trial and of a study. Frozen values; a trial without a measurement has reasons instead."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from orchestrator.measure.interval import Interval
from orchestrator.measure.measurement import Measurement
from orchestrator.measure.samples import Samples
from orchestrator.measure.verdict import Verdict, overall

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
class Score:
    """How good a trial is: `value` in the objective's own unit, `violation` >= 0 its graded distance from the SLO.

    A violation of 0 means that the figures keep the SLO; 0.5 that the worst limit is exceeded by half. `shown`: there
    were requests enough to say so with confidence.
    """

    value: float
    violation: float
    shown: bool = True

    @property
    def feasible(self) -> bool:
        """Whether the figures keep the SLO."""
        return self.violation == 0

    def rank(self, maximize: bool) -> tuple[int, float]:
        """Sorts scores, the best first: those shown to keep the SLO, those whose figures do, those nearest to it."""
        if not self.feasible:
            return 2, self.violation
        return (0 if self.shown else 1), (-self.value if maximize else self.value)


@dataclass(frozen=True)
class TrialResult:
    """One configuration under one load.

    `overhead_s` is `wall_s` less warm-up and measuring: what it cost to get to the configuration and back.
    `verdicts` has, by limit of the SLO, whether it was shown to hold; `details` further figures by name: where the
    time went, and what the machine was used for. `batches` counts batches by their size. `explanation` says what
    limits the configuration. `serve_config` is the exact Serve config that was applied, in the trial's slot;
    `export_config` is the same configuration as a user deploys it. `samples` is dropped once it is stored.

    A replication measures a configuration again that was deployed afresh: `confirms` is the number of the trial whose
    configuration it is, `replication` says for which time, from 0 on.
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
    confirms: int | None = None
    replication: int | None = None

    def __post_init__(self) -> None:
        if (self.confirms is None) != (self.replication is None):
            raise ValueError("a replication says which trial it confirms, and for which time")
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
class Ratio:
    """One figure over another; the true ratio lies between `lo` and `hi` with `confidence`, NaN where nobody knows."""

    value: float
    lo: float = math.nan
    hi: float = math.nan
    confidence: float = math.nan


@dataclass(frozen=True)
class Candidate:
    """What the replications of a trial say of it.

    `value` is the geometric mean of the objective's figure, in `interval` with 95 % confidence; `of_best` how many
    times as good as the best it is by that figure. `kept` counts the replications whose figures kept the SLO; `shown`:
    most of them had requests enough to say so with confidence.
    """

    number: int
    replications: int
    kept: int
    shown: bool
    value: float = math.nan
    interval: Interval | None = None
    of_best: Ratio | None = None


@dataclass(frozen=True)
class Confirmation:
    """What came of deploying and measuring the best trials and the baseline again, `replications` times in turn.

    `best` is the trial with the best figures of those that kept the SLO every time (None: there is none).
    `indistinguishable` has it and those that were not shown to be worse, or nobody; `recommended` is the simplest of
    them, and `reason` says in what. `gain` is that of the best over the baseline, as in `StudyResult`. `remarks` tell
    of replications that are missing.
    """

    candidates: tuple[Candidate, ...]
    replications: int
    best: int | None
    indistinguishable: tuple[int, ...]
    recommended: int | None
    reason: str
    gain: Mapping[str, Ratio]
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True)
class StudyResult:
    """One search: its trials in order of their numbers, the replications that confirm them, and what they say."""

    study_id: str
    name: str
    algorithm: str
    seed: int
    maximize: bool
    objective: str
    trials: tuple[TrialResult, ...]
    replications: tuple[TrialResult, ...] = ()
    confirmation: Confirmation | None = None

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
    def recommended(self) -> TrialResult | None:
        """The trial to deploy: the simplest of those that cannot be told from the best."""
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
            "throughput": Ratio(_ratio(best.measurement.throughput_rps, baseline.measurement.throughput_rps)),
            "p99": Ratio(_ratio(baseline.measurement.latency_p99_ms, best.measurement.latency_p99_ms)),
        }

    def trial(self, number: int | None) -> TrialResult | None:
        """The trial of that number; None where there is none."""
        return next((trial for trial in self.trials if trial.number == number), None)


def best_of(trials: tuple[TrialResult, ...], maximize: bool) -> TrialResult | None:
    """The complete trial with the best score among those within the SLO; the earliest of equals.

    Trials that were not shown to keep the SLO only count when none was.
    """
    feasible = [t for t in trials if t.status is Status.COMPLETE and t.score is not None and t.score.feasible]
    return min(feasible, key=lambda t: (t.score.rank(maximize), t.number), default=None)  # type: ignore[union-attr]


def _ratio(numerator: float, denominator: float) -> float:
    return numerator / denominator if denominator > 0 else math.nan
