"""Where the time of the requests went, from the client's clock and the server's `Server-Timing`."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields

import numpy as np
from numpy.typing import NDArray

from orchestrator.measure.samples import Samples, Window

TAIL_SHARE = 0.01
"""The slowest 1 % of the successes, by response time: what a p99 is made of. At least one request."""

_LARGEST_BATCH = 1_000_000  # what a server states above this is not a size


@dataclass(frozen=True)
class Parts:
    """Mean milliseconds per request; they add up to the mean response time. NaN where no request tells.

    A request whose answer lacks queue or compute has `server_and_network` in place of what is lacking and of
    `network`; where some requests tell and others do not, a part counts as 0 for those that do not.
    """

    send_lag_ms: float  # scheduled -> sent: the client's own lateness
    network_ms: float  # sent -> done, less what the server accounts for: network, proxy and router
    backlog_ms: float  # the server's queue without the batch wait: for a free replica or model
    batch_wait_ms: float  # the part of the queue spent collecting a batch; in the backlog where it is not stated
    compute_ms: float  # the model at work
    server_and_network_ms: float  # what cannot be told apart

    @property
    def total_ms(self) -> float:
        """The mean response time; NaN without requests."""
        known = [value for value in self._by_name().values() if not math.isnan(value)]
        return sum(known) if known else math.nan

    def shares(self) -> dict[str, float]:
        """Part -> its share of the total, 0 to 1 (`{"compute": 0.4, ...}`); unknown parts are left out.

        They add up to 1. A server that claims more time than the request took makes `network` negative.
        """
        total = self.total_ms
        known = {name: value for name, value in self._by_name().items() if not math.isnan(value)}
        return {name.removesuffix("_ms"): value / total for name, value in known.items()} if total > 0 else {}

    def metrics(self, suffix: str) -> dict[str, float]:
        """`{"compute_ms" + suffix: ...}` of the known parts."""
        return {name + suffix: value for name, value in self._by_name().items() if not math.isnan(value)}

    def _by_name(self) -> dict[str, float]:
        return {part.name: getattr(self, part.name) for part in fields(self)}


@dataclass(frozen=True)
class Breakdown:
    """Of the successes of a window: all of them, and the slowest `TAIL_SHARE`.

    `batch_requests` counts requests by the size of the batch that they were in (every request of a batch of 8 is
    one sample of size 8); `max_batch_size` is None where it is not known. `tokens` and `padding` are sums over the
    requests that tell, `accuracy` is the mean of what they tell; NaN where none does. `at_work` is how many batches
    were computed at a time, on average.
    """

    mean: Parts
    tail: Parts
    requests: int
    tail_requests: int
    tail_from_ms: float  # the shortest response time among the slowest; NaN without requests
    batch_requests: Mapping[int, int] = field(default_factory=dict)
    max_batch_size: int | None = None
    tokens: float = math.nan
    padding: float = math.nan
    at_work: float = math.nan
    accuracy: float = math.nan

    @property
    def batches(self) -> dict[int, float]:
        """Size -> number of batches: requests / size. No integer where a batch reaches across the window's edge."""
        return {size: count / size for size, count in self.batch_requests.items()}

    @property
    def batch_size_per_batch(self) -> float:
        """Mean size over batches, which is below the mean over requests; NaN when no size is known."""
        batches = sum(self.batches.values())
        return sum(self.batch_requests.values()) / batches if batches else math.nan

    @property
    def batch_fill(self) -> float:
        """Mean size over batches / `max_batch_size`; NaN when either is unknown."""
        return self.batch_size_per_batch / self.max_batch_size if self.max_batch_size else math.nan

    @property
    def padding_waste(self) -> float:
        """Places that only filled items up to the longest of their batch, for each token; NaN when not known."""
        return self.padding / self.tokens if self.tokens > 0 else math.nan

    def metrics(self) -> dict[str, float]:
        """Flat figures, NaN left out: `compute_ms_tail`, `compute_share`, `compute_share_tail`, `batch_fill`, ...

        Means in milliseconds that are figures of a `Measurement` already are not repeated here.
        """
        figures = {
            "backlog_ms_mean": self.mean.backlog_ms,
            "server_and_network_ms_mean": self.mean.server_and_network_ms,
            **self.tail.metrics("_tail"),
            **{f"{part}_share": share for part, share in self.mean.shares().items()},
            **{f"{part}_share_tail": share for part, share in self.tail.shares().items()},
            "tail_requests": float(self.tail_requests),
            "tail_from_ms": self.tail_from_ms,
            "batch_size_per_batch": self.batch_size_per_batch,
            "batch_fill": self.batch_fill,
            "padding_waste": self.padding_waste,
            "batches_at_work": self.at_work,
            "accuracy": self.accuracy,
        }
        return {name: value for name, value in figures.items() if not math.isnan(value)}


def break_down(samples: Samples, window: Window, max_batch_size: int | None = None) -> Breakdown:
    """Where the time of the successes scheduled within `window` went."""
    start, end = window
    # One mask for all: every copy of a million samples takes time and memory.
    successes = samples.where(samples.ok & (samples.scheduled_s >= start) & (samples.scheduled_s < end))
    count = len(successes)
    parts = _parts_s(successes)
    response_s = successes.response_time_s
    tail_count = math.ceil(count * TAIL_SHARE)
    # The slowest, in no particular order: a partition is enough, and quicker than sorting a million samples.
    slowest = np.argpartition(response_s, count - tail_count)[count - tail_count :] if count else np.arange(0)
    return Breakdown(
        mean=Parts(**{name: _mean_ms(column) for name, column in parts.items()}),
        tail=Parts(**{name: _mean_ms(column[slowest]) for name, column in parts.items()}),
        requests=count,
        tail_requests=tail_count,
        tail_from_ms=float(response_s[slowest].min()) * 1e3 if count else math.nan,
        batch_requests=_count_sizes(successes.batch_size),
        max_batch_size=max_batch_size,
        tokens=_sum(successes.tokens),
        padding=_sum(successes.padding),
        at_work=_at_work(successes, end - start),
        accuracy=_mean(successes.accuracy),
    )


def _parts_s(successes: Samples) -> dict[str, NDArray[np.float64]]:
    """Part -> seconds, (requests,); NaN where the request does not tell."""
    queue, wait, compute = successes.queue_s, successes.batch_wait_s, successes.compute_s
    complete = ~np.isnan(queue) & ~np.isnan(compute)
    unstated = (successes.done_s - successes.sent_s) - np.nan_to_num(queue) - np.nan_to_num(compute)
    return {
        "send_lag_ms": successes.sent_s - successes.scheduled_s,
        "network_ms": np.where(complete, unstated, np.nan),
        "backlog_ms": queue - np.nan_to_num(wait),
        "batch_wait_ms": np.where(np.isnan(queue), np.nan, wait),
        "compute_ms": compute,
        "server_and_network_ms": np.where(complete, np.nan, unstated),
    }


def _sum(column: NDArray[np.float64]) -> float:
    """Of what is known; NaN where nothing is."""
    known = ~np.isnan(column)
    return float(column[known].sum()) if known.any() else math.nan


def _at_work(successes: Samples, window_s: float) -> float:
    """Each of a batch's requests accounts for its part of the batch's time; NaN where no request tells its batch."""
    known = ~np.isnan(successes.compute_s) & (successes.batch_size >= 1)
    if not known.any() or window_s <= 0:
        return math.nan
    return float((successes.compute_s[known] / successes.batch_size[known]).sum()) / window_s


def _mean(column: NDArray[np.float64]) -> float:
    """Of what is known; NaN where nothing is."""
    known = ~np.isnan(column)
    return float(column[known].mean()) if known.any() else math.nan


def _mean_ms(column: NDArray[np.float64]) -> float:
    """Seconds over all requests, those that do not tell counting as 0, so that the parts add up; in ms."""
    known = ~np.isnan(column)
    return float(column[known].sum() / len(column)) * 1e3 if known.any() else math.nan


def _count_sizes(sizes: NDArray[np.float64]) -> dict[int, int]:
    """Size -> requests; answers that never reached a batch state 0 and are left out."""
    counts = np.bincount(sizes[(sizes >= 1) & (sizes <= _LARGEST_BATCH)].astype(np.intp))
    return {int(size): int(counts[size]) for size in np.flatnonzero(counts)}
