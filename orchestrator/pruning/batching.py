"""What `@serve.batch` and the load say about a batch's size and wait: what cannot form, what is late, what is equal.

Serve collects a batch until it is full, or until its first request has waited for `batch_wait_timeout_s`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from orchestrator.knob import Listed
from orchestrator.objective import Slo
from orchestrator.plain import is_number
from orchestrator.pruned import BATCH, WAIT
from orchestrator.pruning.crowd import Crowd
from orchestrator.pruning.reasons import Finding, short
from orchestrator.serve_config.settings import BATCH_WAIT, MAX_BATCH_SIZE, MAX_ONGOING, Settings
from orchestrator.space import Condition, Knob

_PERCENT_ABOVE = {"latency_p90_ms": 10, "latency_p95_ms": 5, "latency_p99_ms": 1, "latency_max_ms": 0}
"""Of the requests, how many may exceed a limit that holds. One late request in a batch says little about the others."""


class Plateau(NamedTuple):
    """All values of an option from `start` on have the same effect, and why."""

    path: str
    start: float
    why: str


def late(settings: Settings, crowd: Crowd, slo: Slo) -> Finding | None:
    """A wait above a limit of the SLO, for a batch that cannot be full before the limit has passed.

    Then at least one request of each batch is late: the first, which waits to the end. Of a batch with more requests
    than can be answered in time, all but so many are late. So one in n + 1 is, and that has to be more than
    the limit allows.
    """
    size, wait_s = settings[MAX_BATCH_SIZE], _wait_s(settings)
    for metric, limit_ms in slo.latency_limits_ms().items():
        in_time = crowd.within(limit_ms / 1e3, settings)
        surely_broken = (in_time + 1) * _PERCENT_ABOVE.get(metric, 100) < 100
        if wait_s * 1e3 > limit_ms and size > in_time * crowd.items and surely_broken:
            return Finding(
                WAIT,
                f"{settings.knob(BATCH_WAIT)} is {short(wait_s * 1e3)} ms, and within the {short(limit_ms)} ms of "
                f"{metric.removeprefix('latency_')} at most {crowd.text(in_time)} meet in a replica: batches of "
                f"{short(size)} are not full before, and in each of them somebody waits for too long",
            )
    return None


def cannot_form(settings: Settings, crowd: Crowd, knobs: Mapping[str, Knob]) -> Finding | None:
    """A batch above what a replica holds at a time, where a smaller one in the space holds all of it too.

    The smaller one takes the same requests, and does not wait for others when it has all of them.
    """
    size, path, most = settings[MAX_BATCH_SIZE], settings.knob(MAX_BATCH_SIZE), _most(settings, crowd)
    if not size > most:
        return None
    enough = smallest_from(knobs[path], most) if path in knobs else None
    if enough is None or enough >= size:
        return None
    return Finding(
        BATCH,
        f"{path} is {short(size)}, and a replica has at most {crowd.text(most / crowd.items)} at a time "
        f"({crowd.why(settings)}): {short(enough)} takes them all too, and then waits for no more",
    )


def plateaus(settings: Settings, crowd: Crowd) -> Iterator[Plateau]:
    """The options of which all values from some number on are equal, other options staying as they are."""
    share = crowd.share(settings)
    if math.isfinite(share):
        yield Plateau(settings.knob(MAX_ONGOING), share, f"at most {crowd.text(share)} come to a replica at a time")
    most, wait_s = _most(settings, crowd), _wait_s(settings)
    if math.isfinite(most):
        # a batch that is full ends the wait; without a wait there is none to end
        start = most if wait_s == 0 else most + 1
        why = f"a replica has at most {crowd.text(most / crowd.items)} at a time ({crowd.why(settings)})"
        yield Plateau(settings.knob(MAX_BATCH_SIZE), start, why)
    if settings[MAX_BATCH_SIZE] == 1 and not math.isnan(wait_s):
        yield Plateau(settings.knob(BATCH_WAIT), 0.0, "a batch of 1 is full at once")


def smallest_from(knob: Knob, start: float) -> float | None:
    """The smallest number of a knob that is not below `start`; None where it has none."""
    if isinstance(knob, Condition):
        return None  # each of its values brings knobs of its own
    if isinstance(knob, Listed):
        return min((value for value in knob.listed() if is_number(value) and value >= start), default=None)
    least = max(knob.low, math.ceil(start) if knob.whole else start)
    return least if least <= knob.high else None


def _most(settings: Settings, crowd: Crowd) -> float:
    """Most calls that can wait for a batch of one replica at a time."""
    return crowd.at_once(settings) * crowd.items


def _wait_s(settings: Settings) -> float:
    """NaN unless it stands beside the size: it may be that of other batches."""
    beside = _parent(settings.knob(BATCH_WAIT)) == _parent(settings.knob(MAX_BATCH_SIZE))
    return settings[BATCH_WAIT] if beside else math.nan


def _parent(path: str) -> str:
    return path.rpartition(".")[0]
