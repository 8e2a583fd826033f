"""Steps of a job -> the figures of an offline trial, each with its confidence interval. Pure.

A step is to a job what a request is to a server: its time is a latency. But steps follow each other without a gap, and
there may be as few as three of them. Therefore the rate is the reciprocal of the mean time, free of where a window
happens to begin, and the batches of which intervals are made (`orchestrator.measure.batches`) are equal numbers of
steps in their order; of few steps each is a batch of its own, and Student's t has one degree of freedom less than there
are. Whether so few depend on each other nobody can know: from six on, what correlation neighbours show counts.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from orchestrator.measure.batches import BATCHES, Batches
from orchestrator.measure.confidence import (
    CONFIDENCE,
    mean_interval,
    quantile_intervals,
    quantiles,
    ratio_interval,
    std_interval,
)
from orchestrator.measure.interval import Interval
from orchestrator.measure.measurement import Measurement, further_percentiles
from orchestrator.measure.percentile import share_below
from orchestrator.measure.race import Rival
from orchestrator.measure.samples import Outcome, Samples

FEWEST = 3
"""Steps without which nothing is said: with two, a 95 % interval is thirteen standard errors wide on either side."""

ITEM_MS = "item_ms"
"""Name of the figure that every job has, and nothing else."""

PERCENTILES = {"latency_p50_ms": 0.5, "latency_p90_ms": 0.9, "latency_p95_ms": 0.95, "latency_p99_ms": 0.99}

ROUNDING = 1e-9  # a tenth of ten steps is one step, and a little less in binary

STRETCHES = 3
TOLERANCE = 0.1
"""Warm-up is over when so many successive stretches agree so well; as of `orchestrator.measure.steady`."""

Figures = dict[str, tuple[float, Interval | None]]


@dataclass(frozen=True)
class Steps:
    """One row per step, in order: when it ran, in seconds, how many items it processed, and what else it told.

    That is how long its parts took, in ms, and the accuracy of its model; NaN where it said nothing of it.
    """

    started_s: NDArray[np.float64]  # (steps,)
    ended_s: NDArray[np.float64]
    items: NDArray[np.float64]
    parts: Mapping[str, NDArray[np.float64]]
    accuracy: NDArray[np.float64]

    @classmethod
    def of(cls, rows: Sequence[tuple[float, float, int, Mapping[str, float], float | None]]) -> Steps:
        """From (start, end, items, parts, accuracy) of each step."""
        table = np.array([row[:3] for row in rows], dtype=float).reshape(len(rows), 3)
        names = dict.fromkeys(name for row in rows for name in row[3])
        parts = {name: np.array([row[3].get(name, math.nan) for row in rows], dtype=float) for name in names}
        accuracy = np.array([math.nan if row[4] is None else row[4] for row in rows], dtype=float)
        return cls(table[:, 0], table[:, 1], table[:, 2], parts, accuracy)

    def then(self, later: Steps) -> Steps:
        """These and later ones."""
        names = dict.fromkeys((*self.parts, *later.parts))
        parts = {name: np.concatenate([self._part(name), later._part(name)]) for name in names}
        columns = ("started_s", "ended_s", "items", "accuracy")
        joined = {name: np.concatenate([getattr(self, name), getattr(later, name)]) for name in columns}
        return Steps(parts=parts, **joined)

    def __len__(self) -> int:
        return len(self.started_s)

    def _part(self, name: str) -> NDArray[np.float64]:
        return self.parts.get(name, np.full(len(self), math.nan))

    @property
    def times_ms(self) -> NDArray[np.float64]:
        """How long each step took: (steps,)."""
        return (self.ended_s - self.started_s) * 1e3

    @property
    def window(self) -> tuple[float, float]:
        """From the start of the first to the end of the last."""
        return float(self.started_s[0]), float(self.ended_s[-1])

    @property
    def total_s(self) -> float:
        """The time of all steps together."""
        return float((self.ended_s - self.started_s).sum())

    def samples(self, origin_s: float) -> Samples:
        """The steps as they are stored, times counted from `origin_s`; the batch of a step are its items."""
        unknown = np.full(len(self), math.nan)
        return Samples(
            scheduled_s=self.started_s - origin_s,
            sent_s=self.started_s - origin_s,
            done_s=self.ended_s - origin_s,
            outcome=np.full(len(self), Outcome.OK, np.uint8),
            status=np.zeros(len(self), np.int16),
            queue_s=unknown,
            batch_wait_s=unknown,
            compute_s=unknown,
            batch_size=self.items,
            accuracy=self.accuracy,
        )


def are_steady(times_ms: NDArray[np.float64]) -> bool:
    """Whether steps have settled: the thirds of the latter half of them agree in their mean time.

    The latter half, so that what was slow at first has to be a while ago. False for fewer than one step in each third.
    """
    latter = times_ms[len(times_ms) // 2 :]
    if len(latter) < STRETCHES:
        return False
    means = np.array([stretch.mean() for stretch in np.array_split(latter, STRETCHES)])
    return bool(np.abs(means - means.mean()).max() <= TOLERANCE * means.mean())


def measure_steps(steps: Steps, asked: tuple[str, ...] = (), confidence: float = CONFIDENCE) -> Measurement:
    """The figures of steps, at least one, with their intervals; percentiles that are `asked` for among them.

    A percentile beyond which no step can be expected to lie is not known, nor is anything that only requests have.
    """
    times_ms, batches = steps.times_ms, _batches(len(steps))
    shares = {name: share for name in further_percentiles(asked) if (share := share_below(name))}
    figures: Figures = {
        **_rates(steps, batches, confidence),
        "latency_mean_ms": (float(times_ms.mean()), _mean_interval(batches, times_ms, confidence)),
        "latency_std_ms": (float(times_ms.std()), std_interval(batches, times_ms, confidence)),
        "latency_max_ms": (float(times_ms.max()), None),
        "batch_size_mean": (float(steps.items.mean()), None),
        "error_ratio": (0.0, None),  # a step that fails ends the trial
        **_percentiles(batches, times_ms, {**PERCENTILES, **shares}, confidence),
    }
    values = {name: value for name, (value, _) in figures.items()}
    unknown = dict.fromkeys(("goodput_rps", "queue_ms_mean", "batch_wait_ms_mean", "compute_ms_mean"), math.nan)
    return Measurement(
        **{**unknown, **{name: value for name, value in values.items() if name not in shares}},
        percentiles={name: values[name] for name in shares if not math.isnan(values[name])},
        requests=len(steps),
        successes=len(steps),
        duration_s=steps.total_s,
        intervals={name: interval for name, (_, interval) in figures.items() if interval is not None},
    )


def is_precise(steps: Steps, objective: str, precision: float) -> bool:
    """Whether the objective's interval is within ± `precision` of it, as a share; few steps are not believed."""
    if len(steps) < BATCHES:
        return False
    measured = measure_steps(steps, (objective,))
    value = measured.percentiles.get(objective, getattr(measured, objective, math.nan))
    interval = measured.intervals.get(objective)
    return interval is not None and interval.relative_half_width(value) <= precision


def is_beaten(steps: Steps, objective: str, rival: Rival, confidence: float) -> bool:
    """Whether the rival is better than the steps beyond doubt, by the margin of `orchestrator.measure.race`."""
    interval = measure_steps(steps, (objective,), confidence).intervals.get(objective)
    return interval is not None and rival.beats(interval)


def step_figures(steps: Steps) -> dict[str, float]:
    """What only a job tells: ms per item, and the mean ms per step of each part (`part_inference_ms`), with intervals.

    And the mean `accuracy` of the steps that told one; absent where none did.
    """
    batches = _batches(len(steps))
    found: Figures = {ITEM_MS: _item_ms(steps, batches)}
    for name, took_ms in steps.parts.items():
        known = ~np.isnan(took_ms)
        among = took_ms[known]
        found[f"part_{name}"] = float(among.mean()), _mean_interval(_batches(len(among)), among)
    known = ~np.isnan(steps.accuracy)
    flat = {"accuracy": float(steps.accuracy[known].mean())} if known.any() else {}
    for name, (value, interval) in found.items():
        flat[name] = value
        if interval is not None:
            flat |= {f"{name}_lo": interval.lo, f"{name}_hi": interval.hi}
    return flat


def _batches(count: int) -> Batches:
    """As many steps in each as in any other, but for one; of few steps each is a batch."""
    batches = min(BATCHES, count)
    index = np.arange(count) * batches // count
    return Batches(index, np.bincount(index).astype(np.float64))


def _rates(steps: Steps, batches: Batches, confidence: float) -> Figures:
    """Steps and items per second: the reciprocals of the mean times."""
    mean_ms = float(steps.times_ms.mean())
    item_ms, of_item = _item_ms(steps, batches, confidence)
    return {
        "throughput_rps": (1e3 / mean_ms, _reciprocal(_mean_interval(batches, steps.times_ms, confidence))),
        "items_per_s": (1e3 / item_ms, _reciprocal(of_item)),
    }


def _item_ms(steps: Steps, batches: Batches, confidence: float = CONFIDENCE) -> tuple[float, Interval | None]:
    """The time of all steps over their items: a ratio of sums, as a last batch may be smaller."""
    item_ms = float(steps.times_ms.sum() / steps.items.sum())
    known = len(steps) >= FEWEST
    return item_ms, ratio_interval(batches, steps.times_ms, steps.items, confidence) if known else None


def _mean_interval(batches: Batches, values: NDArray[np.float64], confidence: float = CONFIDENCE) -> Interval | None:
    return mean_interval(batches, values, confidence, fewest=FEWEST)


def _reciprocal(interval: Interval | None) -> Interval | None:
    """Of times in ms, that of rates per second."""
    return None if interval is None else Interval(1e3 / interval.hi, 1e3 / interval.lo)


def _percentiles(
    batches: Batches, times_ms: NDArray[np.float64], shares: Mapping[str, float], confidence: float
) -> Figures:
    ordered = np.sort(times_ms)
    known = {name: share for name, share in shares.items() if len(times_ms) * (1 - share) > 1 - ROUNDING}
    values = quantiles(ordered, list(known.values()))
    intervals = quantile_intervals(batches, times_ms, ordered, list(known.values()), confidence)
    unknown: Figures = dict.fromkeys(shares, (math.nan, None))
    return {**unknown, **dict(zip(known, zip(values, intervals, strict=True), strict=True))}
