"""Collects the samples of a load while it runs."""

from __future__ import annotations

import math
import threading
from array import array
from collections.abc import Callable
from dataclasses import fields

import numpy as np
from numpy.typing import NDArray

from orchestrator.load.server_timing import ServerTimes, parse_server_timing
from orchestrator.measure.samples import Samples

Row = tuple[float, float, float, int, int, bytes]
"""Of a request that has ended: scheduled, sent (NaN if it never was), done, `Outcome`, status, raw answer."""


class Recorder:
    """Growing typed columns: 27 bytes a request and the raw head of its answer.

    Rows are added to a list, and moved to the columns by `settle`, many at a time: the cheapest way. Times are
    handed in as readings of one clock, in seconds; samples count from `origin`.

    One thread adds rows, which takes no lock: a list is extended by a row in one step. Any other one may read.
    """

    origin: float
    """The moment from which the samples count."""

    add: Callable[[Row], None]
    """Append a row. It is run for every request: a method of a list, that is, no call of Python."""

    def __init__(self, origin: float) -> None:
        self.origin = origin
        self._new: list = []  # rows that are not in the columns yet, flat, which leaves nothing to collect
        self.add = self._new.extend
        self._settling = threading.Lock()
        self._scheduled = array("d")
        self._sent = array("d")
        self._done = array("d")
        self._outcome = array("B")
        self._status = array("h")
        self._answers: list[bytes] = []

    def settle(self) -> None:
        """Move the rows to the columns: now and then, so that it never takes long."""
        with self._settling:
            new = self._new
            end = len(new)  # rows may be added meanwhile
            self._scheduled.extend(new[0:end:6])
            self._sent.extend(new[1:end:6])
            self._done.extend(new[2:end:6])
            self._outcome.extend(new[3:end:6])
            self._status.extend(new[4:end:6])
            self._answers.extend(new[5:end:6])
            del new[:end]

    def progress(self, begin: int) -> Samples:
        """The samples from row `begin` on, up to this moment, with NaN for the server's own times.

        Parsing those while the load runs would hold up the clients and so distort what is being measured.
        """
        self.settle()
        end = len(self._answers)  # the column that grows last: a row counts once it is in all of them
        unknown = np.broadcast_to(np.float64(math.nan), end - begin)
        return self._samples(begin, end, ServerTimes(*[unknown] * len(fields(ServerTimes))))

    def samples(self) -> Samples:
        """All samples, complete; once no more are added."""
        self.settle()
        return self._samples(0, len(self._answers), parse_server_timing(self._answers))

    def _samples(self, begin: int, end: int, server: ServerTimes) -> Samples:
        return Samples(
            scheduled_s=self._since_origin(self._scheduled[begin:end]),
            sent_s=self._since_origin(self._sent[begin:end]),
            done_s=self._since_origin(self._done[begin:end]),
            outcome=np.array(self._outcome[begin:end], np.uint8),
            status=np.array(self._status[begin:end], np.int16),
            queue_s=server.queue_s,
            batch_wait_s=server.batch_wait_s,
            compute_s=server.compute_s,
            batch_size=server.batch_size,
            tokens=server.tokens,
            padding=server.padding,
            accuracy=server.accuracy,
        )

    def _since_origin(self, readings: array[float]) -> NDArray[np.float64]:
        """`readings` is a slice, that is a copy: an array that numpy looks at cannot grow."""
        return np.array(readings, np.float64) - self.origin
