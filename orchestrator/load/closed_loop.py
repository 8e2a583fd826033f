"""The closed loop: a fixed number of clients, each sending its next request when it has its answer."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence

from orchestrator.load.client import Client, backoff_s
from orchestrator.load.driver import Driver
from orchestrator.load.endpoint import Endpoint
from orchestrator.load.plan import ClosedLoop
from orchestrator.load.recorder import Recorder
from orchestrator.measure.samples import Outcome

_TIMEOUT = int(Outcome.TIMEOUT)


class ClosedLoopDriver(Driver):
    """A request is scheduled when its client became free, or a think time after that.

    The time-out counts from when sending, or connecting, began: pauses after broken connections are our own doing.
    """

    def __init__(
        self, traffic: ClosedLoop, endpoint: Endpoint, requests: Sequence[bytes], timeout_s: float, recorder: Recorder
    ) -> None:
        super().__init__(endpoint, requests, timeout_s, recorder, backoff_s)
        self._think_s = traffic.think_time_s
        if self._think_s:
            self._on_free = self._think  # type: ignore[method-assign]  # looked up once, not for every request
        self._scheduling = True
        self._clients = [self._new_client() for _ in range(traffic.concurrency)]
        apart_s = self._think_s / traffic.concurrency
        # Everybody thinks for as long, so whoever begins to think first is ready first.
        self._thinking = deque((recorder.origin + i * apart_s, client) for i, client in enumerate(self._clients))
        self._timer.set(recorder.origin)

    def stop(self, now: float) -> None:  # noqa: ARG002, D102
        self._scheduling = False
        self._thinking.clear()

    def _on_free(self, client: Client, now: float) -> None:
        if self._scheduling:
            client.send(self._next_request(), now)

    def _think(self, client: Client, now: float) -> None:
        if self._scheduling:
            ready = now + self._think_s
            if not self._thinking:
                self._timer.set(ready)
            self._thinking.append((ready, client))

    def _on_time(self) -> None:
        thinking = self._thinking
        now = self._clock()
        while thinking and thinking[0][0] <= now:
            ready, client = thinking.popleft()
            client.send(self._next_request(), ready)
        self._timer.set(thinking[0][0] if thinking else math.inf)

    def _counts_from(self, client: Client) -> float:
        return client.began

    def _give_up(self, client: Client) -> None:
        client.give_up(_TIMEOUT, unsent=_TIMEOUT)
