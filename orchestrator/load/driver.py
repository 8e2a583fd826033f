"""What the closed and the open loop have in common."""

from __future__ import annotations

import asyncio
import math
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from itertools import cycle

from orchestrator.load.client import Client
from orchestrator.load.endpoint import Endpoint
from orchestrator.load.recorder import Recorder
from orchestrator.load.timer import precise_timer


class Driver(ABC):
    """What both have in common: clients, requests taken in turn, and time-outs."""

    held_back = 0
    """Requests that had to wait because every connection was busy when they became due."""

    def __init__(
        self,
        endpoint: Endpoint,
        requests: Sequence[bytes],
        timeout_s: float,
        recorder: Recorder,
        pause_s: Callable[[int], float],
    ) -> None:
        self._clock = time.perf_counter
        self._timeout_s = timeout_s
        self._recorder = recorder
        self._next_request = cycle(requests).__next__
        self._new_client = lambda: Client(endpoint, recorder, self._clock, self._on_free, pause_s)
        self._clients: list[Client] = []
        self._timer = precise_timer(asyncio.get_running_loop(), self._on_time)
        self._nothing_overdue_before = -math.inf

    @property
    def connections(self) -> int:
        """Most connections there have been at once."""
        return len(self._clients)

    @property
    def idle(self) -> bool:
        """Whether no request is under way or waiting."""
        return not any(client.busy for client in self._clients)

    @abstractmethod
    def stop(self, now: float) -> None:
        """Schedule nothing more from `now` on."""

    def give_up_overdue(self, now: float) -> None:
        """End the requests that have used up their time."""
        if now < self._nothing_overdue_before:
            return
        for client in self._clients:
            if client.busy and self._counts_from(client) <= now - self._timeout_s:
                self._give_up(client)
        self._nothing_overdue_before = self._oldest(now) + self._timeout_s

    def give_up_all(self) -> None:
        """End every request under way as timed out."""
        for client in self._clients:
            if client.busy:
                self._give_up(client)

    def close(self) -> None:
        """Close all connections at once; requests under way leave no sample."""
        self._timer.close()
        for client in self._clients:
            client.close()

    def _oldest(self, now: float) -> float:
        """No request that is under way, or will be, has a time-out that counts from before this."""
        return min(now, *(self._counts_from(client) for client in self._clients if client.busy), math.inf)

    @abstractmethod
    def _counts_from(self, client: Client) -> float:
        """When the time-out of the client's request began to count."""

    @abstractmethod
    def _give_up(self, client: Client) -> None:
        """End the client's request as timed out."""

    @abstractmethod
    def _on_free(self, client: Client, now: float) -> None:
        """The client's request has ended: it can take the next one."""

    @abstractmethod
    def _on_time(self) -> None:
        """The timer has gone off."""
