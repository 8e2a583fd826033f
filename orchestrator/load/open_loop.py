"""The open loop: requests leave when they are due, whatever became of those before."""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterator, Sequence
from itertools import chain, repeat, takewhile

import numpy as np

from orchestrator.load.client import Client, no_backoff_s
from orchestrator.load.driver import Driver
from orchestrator.load.endpoint import Endpoint
from orchestrator.load.plan import OpenLoop
from orchestrator.load.recorder import Recorder
from orchestrator.measure.samples import Outcome

_TIMEOUT = int(Outcome.TIMEOUT)
_UNSENT = int(Outcome.UNSENT)


class OpenLoopDriver(Driver):
    """A request is scheduled by the plan, and its time-out counts from there.

    Free connections wait in a stack: the one used last is used next, so that there are no more than needed.
    """

    def __init__(
        self, traffic: OpenLoop, endpoint: Endpoint, requests: Sequence[bytes], timeout_s: float, recorder: Recorder
    ) -> None:
        super().__init__(endpoint, requests, timeout_s, recorder, no_backoff_s)
        self._max_connections = traffic.max_connections
        self._free: list[Client] = []
        self._take(array("d", (np.asarray(traffic.arrivals_s, np.float64) + recorder.origin).tobytes()))
        self._blocked = False  # a request is due and every connection busy: the next free one takes it
        self._full_from = math.inf  # since when every connection has been busy
        self._timer.set(self._due)

    @property
    def idle(self) -> bool:  # noqa: D102
        return self._due == math.inf and len(self._free) == len(self._clients)

    def stop(self, now: float) -> None:
        """Requests that are due already may still be sent, as long as their time-out lets them."""
        self._take(list(takewhile(lambda due: due <= now, chain([self._due], self._arrivals))))
        if not self._blocked:
            self._timer.set(self._due)

    def give_up_overdue(self, now: float) -> None:  # noqa: D102
        if self._blocked:
            self._skip_overdue(now)
        super().give_up_overdue(now)

    def _take(self, arrivals: Sequence[float]) -> None:
        self._arrivals: Iterator[float] = chain(arrivals, repeat(math.inf))
        self._due = next(self._arrivals)

    def _on_time(self) -> None:
        now = self._clock()
        free = self._free
        while self._due <= now:  # not what becomes due meanwhile: answers must get their turn
            if free:
                client = free.pop()
            elif len(self._clients) < self._max_connections:
                client = self._new_client()
                self._clients.append(client)
            else:
                self._blocked = True
                self._full_from = max(client.began for client in self._clients)
                return
            client.send(self._next_request(), self._due)
            self._due = next(self._arrivals)
        self._timer.set(self._due)

    def _on_free(self, client: Client, now: float) -> None:
        if self._blocked:
            self._skip_overdue(now)
            if self._due <= now:
                client.send(self._next_request(), self._take_held_back())
                return
            self._blocked = False
            self._timer.set(self._due)
        self._free.append(client)

    def _skip_overdue(self, now: float) -> None:
        while self._due <= now - self._timeout_s:
            self._recorder.add((self._take_held_back(), math.nan, now, _UNSENT, 0, b""))

    def _take_held_back(self) -> float:
        """When the next request was due; what was due while a connection was free is late by our own doing."""
        due, self._due = self._due, next(self._arrivals)
        self.held_back += due >= self._full_from
        return due

    def _oldest(self, now: float) -> float:
        return min(super()._oldest(now), self._due)

    def _counts_from(self, client: Client) -> float:
        return client.scheduled

    def _give_up(self, client: Client) -> None:
        client.give_up(_TIMEOUT, unsent=_UNSENT)
