"""What a searcher minimises: one number per trial."""

from __future__ import annotations

import math
import sys

from orchestrator.result import Status

SQUEEZE = 1000
"""Leaves the largest number below 1."""

LEAST_VIOLATED = 1.0
"""Losses below are those of trials within the SLO."""

NOT_MEASURED = 3.0
"""Loss of a trial without a number to trust."""


def loss(status: Status, value: float | None, violation: float | None, maximize: bool) -> float:
    """One finite number to minimise, in three tiers that never overlap.

    Within the SLO: between -0.72 and 0.72, the better the lower. SLO violated: 1 to 1.72, growing with the
    violation, so that the search finds its way back. Failed, infeasible, invalid or without a number: 3.
    """
    if status is not Status.COMPLETE or value is None or violation is None or math.isnan(violation):
        return NOT_MEASURED
    if violation > 0:
        return LEAST_VIOLATED + _squeezed(violation)
    if not math.isfinite(value):
        return NOT_MEASURED
    return squeezed_loss(value, maximize)


def squeezed_loss(value: float, maximize: bool) -> float:
    """A finite figure as a number between -0.72 and 0.72 to minimise.

    asinh is a logarithm for both signs: it is 710 at the largest float, still tells values apart that differ by a part
    in 10^12, and makes the same ratio of large figures the same distance, so that a model sees shares and not units.
    """
    return -_squeezed(value) if maximize else _squeezed(value)


def relative_loss(squeezed: float) -> float:
    """A `squeezed_loss` on the scale of the natural logarithm: a difference of 0.01 is about a hundredth."""
    return squeezed * SQUEEZE


def _squeezed(value: float) -> float:
    largest = sys.float_info.max
    return math.asinh(min(max(value, -largest), largest)) / SQUEEZE
