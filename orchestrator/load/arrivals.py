"""When the requests of an open loop are due: pure functions of a seed, made before the load starts.

All give sorted float64 seconds since the load starts, within [0, duration). The random ones are Poisson processes:
points of a process of rate 1 are drawn, with exponential gaps, and mapped to times by the inverse of the cumulative
rate Λ(t), the integral of the rate from 0 to t (Çinlar, Introduction to Stochastic Processes, 1975, theorem 4.7.4).
That is exact, not an approximation by small steps. The same seed gives the same points, whatever the duration.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Arrivals = NDArray[np.float64]
"""Sorted seconds since the load starts."""

MOST_ARRIVALS = 100_000_000  # 800 MB: beyond that a unit was mistaken

STEADY = ("poisson", "constant")
"""The kinds of arrivals at one rate."""

_BLOCK = 65_536  # gaps drawn at a time: always as many, so that sums round alike for every duration
_SEPARATOR = re.compile(r"[,;\s]")


def constant(rate_rps: float, duration_s: float) -> Arrivals:
    """One every 1 / `rate_rps` seconds, the first at 0."""
    _check(rate_rps=rate_rps, duration_s=duration_s)
    times = np.arange(math.ceil(_expected(rate_rps * duration_s))) / rate_rps
    return times[times < duration_s]


def poisson(rate_rps: float, duration_s: float, seed: int) -> Arrivals:
    """Independent arrivals, `rate_rps` a second on average."""
    _check(rate_rps=rate_rps, duration_s=duration_s)
    times = _unit_poisson(rate_rps * duration_s, seed) / rate_rps
    return times[times < duration_s]


def steady(kind: str, rate_rps: float, duration_s: float, seed: int) -> Arrivals:
    """One of the kinds of STEADY; `seed` is that of the random ones."""
    if kind not in STEADY:
        raise ValueError(f"arrivals are {' or '.join(STEADY)}, not {kind!r}")
    return constant(rate_rps, duration_s) if kind == "constant" else poisson(rate_rps, duration_s, seed)


def bursts(rate_rps: float, duration_s: float, on_s: float, off_s: float, seed: int) -> Arrivals:
    """Poisson arrivals for `on_s` seconds, none for `off_s`, and so on; `rate_rps` is the mean of both phases.

    While it is on the rate is `rate_rps` (on_s + off_s) / on_s, so that whole periods have the mean rate.
    """
    _check(rate_rps=rate_rps, duration_s=duration_s, on_s=on_s)
    if not 0 <= off_s < math.inf:
        raise ValueError(f"off_s is at least 0, not {off_s}")
    period_s = on_s + off_s
    burst_rate = rate_rps * period_s / on_s
    periods, rest_s = divmod(duration_s, period_s)
    on = _unit_poisson(burst_rate * (periods * on_s + min(rest_s, on_s)), seed) / burst_rate  # as if it were never off
    times = on + np.floor(on / on_s) * off_s
    return times[times < duration_s]


def ramp(points: Sequence[tuple[float, float]], seed: int) -> Arrivals:
    """Poisson arrivals whose rate goes in straight lines from point to point: (time in s, rate in 1/s).

    The first point is at 0, the last one ends the load. Two points at one time make a step.
    """
    at, rate = np.array(points, np.float64).reshape(-1, 2).T
    lengths = np.diff(at)
    if len(at) < 2 or at[0] != 0 or not (lengths >= 0).all() or not 0 < at[-1] < math.inf:
        raise ValueError(f"a ramp goes from time 0 through at least two points, in order of time: {list(points)}")
    if not ((rate >= 0) & (rate < math.inf)).all() or not rate.any():
        raise ValueError(f"the rates of a ramp are at least 0, and not all 0: {list(points)}")
    cumulative = np.concatenate([[0.0], np.cumsum((rate[:-1] + rate[1:]) / 2 * lengths)])
    due = _unit_poisson(cumulative[-1], seed)
    piece = np.minimum(np.searchsorted(cumulative, due, side="right") - 1, len(lengths) - 1)
    begin, length = rate[piece], lengths[piece]
    beyond = due - cumulative[piece]
    slope = (rate[piece + 1] - begin) / length
    # Solves beyond = begin t + slope t² / 2, in the form that loses no digits when the slope is small.
    root = np.sqrt(np.maximum(begin**2 + 2 * slope * beyond, 0))
    times = at[piece] + np.minimum(2 * beyond / np.where(beyond > 0, begin + root, 1), length)
    times = np.maximum.accumulate(times)  # against the rounding of neighbours
    return times[times < at[-1]]


def trace(path: Path, speed: float = 1.0) -> Arrivals:
    """The times in a file, shifted to begin at 0 and divided by `speed` (2: twice as fast).

    Seconds, one a line: alone or in the first column of a CSV; a first line of names, empty lines and those that
    begin with # are passed over. ValueError names file and line of what is not a time or is out of order.
    """
    _check(speed=speed)
    try:
        lines = Path(path).read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}: not a text file ({error.reason})") from None
    numbered = [
        (number, _SEPARATOR.split(text, maxsplit=1)[0].strip("\"'"))
        for number, line in enumerate(lines, 1)
        if (text := line.strip()) and not text.startswith("#")
    ]
    if numbered and math.isnan(_seconds(numbered[0][1])):
        del numbered[0]  # names of columns
    if not numbered:
        raise ValueError(f"{path}: there is no time in this file")
    times = np.fromiter((_seconds(text) for _, text in numbered), np.float64, len(numbered))
    for wrong, what in ((~np.isfinite(times), "is not a time in seconds"), (_early(times), "is before the line above")):
        if wrong.any():
            number, text = numbered[int(wrong.argmax())]
            raise ValueError(f"{path}, line {number}: {text!r} {what}")
    return (times - times[0]) / speed


def _unit_poisson(end: float, seed: int) -> NDArray[np.float64]:
    """The points of a Poisson process of rate 1 before `end`."""
    _expected(end)
    random = np.random.Generator(np.random.PCG64(seed))
    blocks: list[NDArray[np.float64]] = []
    last = 0.0
    while last < end:
        blocks.append(last + np.cumsum(random.standard_exponential(_BLOCK)))
        last = float(blocks[-1][-1])
    points = np.concatenate(blocks)
    return points[: np.searchsorted(points, end)]


def _expected(arrivals: float) -> float:
    if not arrivals <= MOST_ARRIVALS:
        raise ValueError(f"a load has at most {MOST_ARRIVALS:,} arrivals, not {arrivals:,.0f}")
    return arrivals


def _early(times: NDArray[np.float64]) -> NDArray[np.bool_]:
    return np.concatenate([[False], np.diff(times) < 0])


def _seconds(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan


def _check(**positive: float) -> None:
    for name, value in positive.items():
        if not 0 < value < math.inf:
            raise ValueError(f"{name} is more than 0 and finite, not {value}")
