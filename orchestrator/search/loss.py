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


LEAST_DISTANCE, USUAL_DISTANCE = 0.02, -0.15
"""From the SLO: the least that tells keeping from breaking, and that of what keeps it and says no more."""


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


def distance(violation: float | None, excess: float | None) -> float:
    """How far a measurement is from the SLO: the logarithm of measured / limit, bent to stay between -1 and 1.

    Above 0 the SLO is violated. `excess` says how far the measurement is within (see `orchestrator.result.Score`); None
    or NaN, as in studies of earlier releases, is taken for a usual distance. Without a violation, that is without a
    measurement, it is 1.
    """
    if violation is None:
        return 1.0
    if violation > 0:
        return math.tanh(LEAST_DISTANCE + math.log1p(violation))
    if excess is None or math.isnan(excess):
        return USUAL_DISTANCE
    return math.tanh(min(-LEAST_DISTANCE, math.log1p(max(excess, -0.999))))


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
