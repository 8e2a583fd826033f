"""What the calling thread takes of the machine, read while it runs."""

from __future__ import annotations

import math
import os
import time
from array import array

import numpy as np

from orchestrator.load.record import ClientTicks

_RUN_QUEUE = "/proc/thread-self/schedstat"
"""CPU time and time on a run queue, both ns, and time slices, of the thread that opens it (Linux: sched-stats)."""


class UsageMeter:
    """Reads the CPU time of the thread that makes it, and how long it waited for a core; in that thread only."""

    def __init__(self) -> None:
        self._columns = (array("d"), array("d"), array("d"))
        try:
            self._run_queue = os.open(_RUN_QUEUE, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            self._run_queue = -1  # another system, or a kernel without these counts

    def tick(self, at_s: float) -> None:
        """Take a reading, of the moment `at_s`."""
        readings = (at_s, time.thread_time(), self._waiting_s())
        for column, reading in zip(self._columns, readings, strict=True):
            column.append(reading)

    def ticks(self, connections: int, held_back: int) -> ClientTicks:
        """All readings, and what is stated beside them."""
        at_s, cpu_s, waiting_s = (np.array(column, np.float64) for column in self._columns)
        return ClientTicks(at_s, cpu_s, waiting_s, connections, held_back)

    def close(self) -> None:
        """Take no more readings."""
        if self._run_queue >= 0:
            os.close(self._run_queue)
            self._run_queue = -1

    def _waiting_s(self) -> float:
        if self._run_queue < 0:
            return math.nan
        return int(os.pread(self._run_queue, 64, 0).split()[1]) / 1e9
