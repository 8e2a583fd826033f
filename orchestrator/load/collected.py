"""The samples of all client processes so far, put together while a load runs."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from orchestrator.measure.samples import Samples

_KEPT = {"scheduled_s": np.float64, "sent_s": np.float64, "done_s": np.float64, "outcome": np.uint8, "status": np.int16}
_CAPACITY = 16_384  # rows at first


class CollectedSamples:
    """Rows in order of completion, in columns that grow by doubling; the server's own times are NaN."""

    def __init__(self) -> None:
        self._columns: dict[str, NDArray] = {name: np.empty(_CAPACITY, kind) for name, kind in _KEPT.items()}
        self._count = 0

    def add(self, parts: Sequence[Samples]) -> None:
        """Add what the processes report; `samples` returned before are not to be used any more."""
        new = {name: np.concatenate([getattr(part, name) for part in parts]) for name in _KEPT}
        if not len(new["done_s"]):
            return
        # One process's rows come in order, but another may report later what ended earlier: sort that end anew.
        done = self._columns["done_s"][: self._count]
        begin = int(np.searchsorted(done, new["done_s"].min(), side="right"))
        tail = {name: np.concatenate([self._columns[name][begin : self._count], new[name]]) for name in _KEPT}
        order = np.argsort(tail["done_s"], kind="stable")
        self._count = begin + len(order)
        self._reserve(self._count)
        for name, column in tail.items():
            self._columns[name][begin : self._count] = column[order]

    def samples(self) -> Samples:
        """All so far; valid until more are added."""
        unknown = np.broadcast_to(np.float64(math.nan), self._count)
        return Samples(
            **{name: column[: self._count] for name, column in self._columns.items()},
            queue_s=unknown,
            batch_wait_s=unknown,
            compute_s=unknown,
            batch_size=unknown,
        )

    def _reserve(self, count: int) -> None:
        capacity = len(self._columns["done_s"])
        if count > capacity:
            capacity = max(count, 2 * capacity)
            self._columns = {name: np.resize(column, capacity) for name, column in self._columns.items()}
