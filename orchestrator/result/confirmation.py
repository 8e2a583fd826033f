"""What measuring the best trials again came to: values."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from orchestrator.measure.interval import Interval


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
