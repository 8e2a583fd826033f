"""The closed loop: a fixed number of clients, each sending its next request when it has its answer."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import cycle
from typing import Protocol

import uvloop

from orchestrator.load.client import Client
from orchestrator.load.endpoint import Endpoint
from orchestrator.load.recorder import Recorder
from orchestrator.measure.samples import Samples, Window

ASK_EVERY_S = 0.25  # how often `should_stop` is asked: it looks at all samples and so holds up the clients
TICK_S = 0.05  # how often time-outs and `stop` are looked at and records are settled
DRAIN_TICK_S = 0.005  # shorter: nothing is measured any more, and every trial waits for it

ShouldStop = Callable[[Samples, float, float], bool]
"""(samples so far, start of the window, now) -> whether they suffice; the server's own times are NaN."""


class StopSignal(Protocol):
    """What `threading.Event` offers to somebody who only looks at it."""

    def is_set(self) -> bool:
        """Whether to end at once."""


@dataclass(frozen=True)
class ClosedLoopPlan:
    """How many clients, and how long: the window opens after `warmup_s` and is `min_s` to `max_s` long.

    A request without a complete answer `timeout_s` after it was begun is given up, and so is the drain.
    """

    concurrency: int
    warmup_s: float
    min_s: float
    max_s: float
    timeout_s: float

    def __post_init__(self) -> None:
        if self.concurrency < 1:
            raise ValueError(f"concurrency is at least 1, not {self.concurrency}")
        if not self.warmup_s >= 0:
            raise ValueError(f"warmup_s is at least 0, not {self.warmup_s}")
        if not 0 <= self.min_s <= self.max_s or not 0 < self.max_s < math.inf:
            raise ValueError(f"0 <= min_s <= max_s > 0 must hold, not {self.min_s} and {self.max_s}")
        if not self.timeout_s > 0:
            raise ValueError(f"timeout_s is more than 0, not {self.timeout_s}")


@dataclass(frozen=True)
class LoadRecord:
    """Every request of a load, warm-up included, and the window of scheduled times that count."""

    samples: Samples
    window: Window


def run_closed_loop(
    endpoint: Endpoint,
    requests: Sequence[bytes],
    plan: ClosedLoopPlan,
    should_stop: ShouldStop,
    stop: StopSignal | None = None,
) -> LoadRecord:
    """`drive_closed_loop` on an event loop of its own, in a thread that runs none."""
    return uvloop.run(drive_closed_loop(endpoint, requests, plan, should_stop, stop))


async def drive_closed_loop(
    endpoint: Endpoint,
    requests: Sequence[bytes],
    plan: ClosedLoopPlan,
    should_stop: ShouldStop,
    stop: StopSignal | None = None,
    clock: Callable[[], float] = time.perf_counter,
) -> LoadRecord:
    """Warm up, measure until `should_stop` or `plan.max_s`, drain; `requests` are taken in turn.

    A request is scheduled when its client became free. Once `stop` is set the load ends at once: the window
    ends there, and requests under way are dropped without a sample. However the load ends, cancellation and
    an exception in `should_stop` included, all its connections are closed.
    """
    if not requests:
        raise ValueError("a load needs at least one request to send")
    load = _ClosedLoop(endpoint, requests, plan, clock)
    try:
        window = await load.warm_up_and_measure(should_stop, stop)
        await load.drain(stop)
    finally:
        load.close()
        await asyncio.sleep(0)  # lets the event loop let go of the sockets
    return LoadRecord(load.recorder.samples(), window)


class _ClosedLoop:
    def __init__(
        self, endpoint: Endpoint, requests: Sequence[bytes], plan: ClosedLoopPlan, clock: Callable[[], float]
    ) -> None:
        self._plan = plan
        self._clock = clock
        self._origin = clock()
        self.recorder = Recorder(self._origin)
        self._next_request = cycle(requests).__next__
        self._scheduling = True
        self._clients = [Client(endpoint, self.recorder, clock, self._on_free) for _ in range(plan.concurrency)]

    async def warm_up_and_measure(self, should_stop: ShouldStop, stop: StopSignal | None) -> Window:
        for client in self._clients:
            client.send(self._next_request(), self._origin)
        start = self._plan.warmup_s
        end = start + self._plan.max_s
        ask_at = start + self._plan.min_s
        now = 0.0
        while now < end and not _is_set(stop):
            if now >= ask_at:
                if should_stop(self.recorder.snapshot(), start, now):
                    break
                ask_at = self._now() + ASK_EVERY_S
            await asyncio.sleep(max(0.0, min(TICK_S, end - now, (ask_at - now) or TICK_S)))
            self._give_up_overdue()
            self.recorder.settle()
            now = self._now()
        self._scheduling = False
        return start, max(start, self._now())

    async def drain(self, stop: StopSignal | None) -> None:
        give_up_at = self._now() + self._plan.timeout_s
        while any(client.busy for client in self._clients) and not _is_set(stop):
            if self._now() >= give_up_at:
                self._expire(math.inf)
            else:
                await asyncio.sleep(DRAIN_TICK_S)
                self._give_up_overdue()

    def close(self) -> None:
        self._scheduling = False
        for client in self._clients:
            client.close()

    def _on_free(self, client: Client, now: float) -> None:
        if self._scheduling:
            client.send(self._next_request(), now)

    def _now(self) -> float:
        return self._clock() - self._origin

    def _give_up_overdue(self) -> None:
        self._expire(self._clock() - self._plan.timeout_s)

    def _expire(self, begun_before: float) -> None:
        for client in self._clients:
            client.expire(begun_before)


def _is_set(stop: StopSignal | None) -> bool:
    return stop is not None and stop.is_set()
