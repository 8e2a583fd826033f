"""Collects the samples of a load while it runs."""

from __future__ import annotations

import math
from array import array

import numpy as np
from numpy.typing import NDArray

from orchestrator.load.server_timing import ServerTimes, parse_server_timing
from orchestrator.measure.samples import Samples


class Recorder:
    """Growing typed columns, cheap to append to: 27 bytes a request and its raw `Server-Timing` header.

    Times are handed in as readings of one clock, in seconds; samples count from `origin`, one of them.
    """

    def __init__(self, origin: float) -> None:
        self._origin = origin
        self._scheduled = array("d")
        self._sent = array("d")
        self._done = array("d")
        self._outcome = array("B")
        self._status = array("h")
        self._server_timing: list[bytes] = []

    def __len__(self) -> int:
        return len(self._done)

    def add(
        self,
        scheduled: float,
        done: float,
        outcome: int,
        sent: float,
        status: int,
        server_timing: bytes,
    ) -> None:
        """Append one request that has ended; `outcome` is an `Outcome`, `sent` NaN if it never was."""
        self._scheduled.append(scheduled)
        self._sent.append(sent)
        self._done.append(done)
        self._outcome.append(outcome)
        self._status.append(status)
        self._server_timing.append(server_timing)

    def snapshot(self) -> Samples:
        """The samples so far, with NaN for the server's own times.

        Parsing those while the load runs would hold up the clients and so distort what is being measured.
        """
        unknown = np.broadcast_to(np.float64(math.nan), len(self))
        return self._samples(ServerTimes(unknown, unknown, unknown, unknown))

    def samples(self) -> Samples:
        """All samples, complete."""
        return self._samples(parse_server_timing(self._server_timing))

    def _samples(self, server: ServerTimes) -> Samples:
        return Samples(
            scheduled_s=self._since_origin(self._scheduled),
            sent_s=self._since_origin(self._sent),
            done_s=self._since_origin(self._done),
            outcome=np.array(self._outcome, np.uint8),
            status=np.array(self._status, np.int16),
            queue_s=server.queue_s,
            batch_wait_s=server.batch_wait_s,
            compute_s=server.compute_s,
            batch_size=server.batch_size,
        )

    def _since_origin(self, readings: array[float]) -> NDArray[np.float64]:
        return np.array(readings, np.float64) - self._origin
