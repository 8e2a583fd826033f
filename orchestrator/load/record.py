"""What a load leaves behind."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from orchestrator.measure.samples import Samples, Window


@dataclass(frozen=True)
class ClientUse:
    """What the load client needed of the machine during the window; NaN where that is not known."""

    cpu_share: float = math.nan
    """Of one core: how busy the thread was that sends and receives. Near 1 the client is the limit."""
    waiting_share: float = math.nan
    """Of the time: how long that thread was ready to run and had no core, because others had them all."""
    connections: float = math.nan
    """Most connections open at once, over the whole load."""
    held_back: float = math.nan
    """Requests of an open loop, over the whole load, that had to wait because all its connections were busy."""


@dataclass(frozen=True)
class ClientTicks:
    """Readings of one client thread, some 20 a second; columns of the same length, all in seconds."""

    at_s: NDArray[np.float64]  # since the load started, in order
    cpu_s: NDArray[np.float64]  # CPU time of the thread so far
    waiting_s: NDArray[np.float64]  # time it was ready to run and waited for a core so far; NaN where not known
    connections: int = 0  # most at once
    held_back: int = 0  # requests that found all connections busy

    def use(self, window: Window) -> ClientUse:
        """The shares over `window`, by linear interpolation between the readings; NaN for an empty one."""
        start, end = window
        if not (len(self.at_s) and end > start):
            return ClientUse(connections=self.connections, held_back=self.held_back)
        cpu, waiting = (np.diff(np.interp(window, self.at_s, column))[0] for column in (self.cpu_s, self.waiting_s))
        length = end - start
        return ClientUse(float(cpu) / length, float(waiting) / length, self.connections, self.held_back)


@dataclass(frozen=True)
class GeneratorRecord:
    """Every request that one client process sent, or should have sent, and what it needed for that."""

    samples: Samples
    ticks: ClientTicks


@dataclass(frozen=True)
class LoadRecord:
    """Every request of a load, warm-up included, and the window of scheduled times that count.

    `origin` is what `time.perf_counter` showed on the conductor's machine at time 0.
    """

    samples: Samples
    window: Window
    client: ClientUse = ClientUse()
    origin: float = math.nan


def busiest(uses: Iterable[ClientUse]) -> ClientUse:
    """Of several client processes the largest shares, each on its own, and the sum of what they counted.

    The shares are NaN when that of any process is.
    """
    columns = np.array([[use.cpu_share, use.waiting_share, use.connections, use.held_back] for use in uses])
    cpu, waiting, _, _ = columns.max(axis=0)
    _, _, connections, held_back = columns.sum(axis=0)
    return ClientUse(float(cpu), float(waiting), float(connections), float(held_back))
