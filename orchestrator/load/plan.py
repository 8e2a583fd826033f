"""What load to put on an endpoint, and which part of it is one client process's."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MAX_CONNECTIONS = 1000
"""Of an open loop, unless stated: what a server with a second of queue needs at 1,000 requests/s. It stays below the
usual limits of open files (1,024) and of a proxy's connections, which would answer by refusing."""


@dataclass(frozen=True)
class ClosedLoop:
    """`concurrency` clients, each sending its next request `think_time_s` after it had its answer.

    With a think time the clients start spread evenly over it: they are not to move in step.
    """

    concurrency: int
    think_time_s: float = 0.0

    def __post_init__(self) -> None:
        if self.concurrency < 1:
            raise ValueError(f"concurrency is at least 1, not {self.concurrency}")
        if not 0 <= self.think_time_s < math.inf:
            raise ValueError(f"think_time_s is at least 0, not {self.think_time_s}")

    @property
    def ends_s(self) -> float:
        """When the load ends by itself: never."""
        return math.inf


@dataclass(frozen=True, eq=False)
class OpenLoop:
    """Requests that are due at `arrivals_s`, seconds since the load starts, whatever became of those before.

    A request that finds no free connection opens another one; with `max_connections` open it waits in the client.
    """

    arrivals_s: NDArray[np.float64]  # sorted, at least 0
    max_connections: int = MAX_CONNECTIONS

    def __post_init__(self) -> None:
        if self.max_connections < 1:
            raise ValueError(f"max_connections is at least 1, not {self.max_connections}")
        arrivals = self.arrivals_s
        if arrivals.ndim != 1 or not np.isfinite(arrivals).all():
            raise ValueError("arrivals are a row of finite seconds")
        if len(arrivals) and (arrivals[0] < 0 or (np.diff(arrivals) < 0).any()):
            raise ValueError("arrivals are in order, and none is before 0")

    @property
    def ends_s(self) -> float:
        """When the load ends by itself: at the last arrival."""
        return float(self.arrivals_s[-1]) if len(self.arrivals_s) else 0.0


Traffic = ClosedLoop | OpenLoop


def share(traffic: Traffic, index: int, count: int) -> Traffic:
    """The part of client process `index` of `count`; the parts of all of them together are exactly `traffic`.

    Of arrivals each gets every `count`-th, so that the processes are equally loaded at every moment. ValueError when
    there are more processes than clients or connections.
    """
    if not 0 <= index < count:
        raise ValueError(f"there is no part {index} of {count}")
    if isinstance(traffic, ClosedLoop):
        return ClosedLoop(_split(traffic.concurrency, index, count, "clients"), traffic.think_time_s)
    connections = _split(traffic.max_connections, index, count, "connections")
    return OpenLoop(traffic.arrivals_s[index::count], connections)


def _split(whole: int, index: int, count: int, what: str) -> int:
    if whole < count:
        raise ValueError(f"{whole} {what} cannot be shared by {count} client processes")
    return whole // count + (index < whole % count)
