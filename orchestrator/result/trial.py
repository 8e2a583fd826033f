"""What comes out of a trial: a value. Without a measurement it has reasons instead."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from orchestrator.measure.measurement import Measurement
from orchestrator.measure.samples import Samples
from orchestrator.measure.steps import ITEM_MS
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
    first of them `value`; `half_widths` half of their 95 % intervals, NaN where there is none. `excess` is how far the
    figure nearest to its limit is from it, measured / limit - 1: -0.3 leaves 30 % of room; NaN without limits.
    """

    value: float
    violation: float
    shown: bool = True
    values: tuple[float, ...] = ()
    half_widths: tuple[float, ...] = ()
    excess: float = math.nan

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
    time went, and what the machine was used for. `batches` counts batches by their size; `sorted_ms` has the response
    times of the successes in order, see `orchestrator.measure.sketch`. `explanation` says what limits the
    configuration. `serve_config` is the exact Serve config that was applied, in the trial's slot; `export_config` is
    the same configuration as a user deploys it. `samples` is dropped once it is stored.

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
    sorted_ms: tuple[float, ...] = ()
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
    def is_offline(self) -> bool:
        """Whether a job was measured, and no requests."""
        return ITEM_MS in self.details

    @property
    def verdict(self) -> Verdict | None:
        """On the whole SLO; None without a measurement."""
        return overall(self.verdicts) if self.measurement is not None else None
