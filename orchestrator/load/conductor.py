"""Runs the client processes of a load together: one start, one window, one record."""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from orchestrator.load.collected import CollectedSamples
from orchestrator.load.record import GeneratorRecord, LoadRecord, busiest
from orchestrator.measure.samples import Samples, Window

ASK_EVERY_S = 0.25  # each time all samples are looked at
SHORTEST_SLEEP_S = 0.001  # less than what a rounded clock may need to reach a moment would be busy waiting
LEAD_S = 0.05  # from the call to time 0: a thread is there by then


class StopSignal(Protocol):
    """What `threading.Event` offers to somebody who only looks at it."""

    def is_set(self) -> bool:
        """Whether to end at once."""


class Part(Protocol):
    """One client process's part of a load; a `Generator`, here or elsewhere.

    `start` and `stop` return at once. Whatever raises ends the whole load.
    """

    def start(self, at: float) -> None:
        """Begin; time 0 is when `time.time()` is `at`."""

    def progress(self) -> Samples:
        """The rows since the last call, in order of completion; the server's own times are NaN."""

    def stop(self) -> None:
        """Schedule nothing more."""

    def collect(self) -> GeneratorRecord:
        """Everything, once the last request has ended; after `abort` what had ended by then."""

    def abort(self) -> None:
        """End at once, whatever the state."""


class Watch(Protocol):
    """Decides how long to go on. Samples are valid only during the call; times are seconds since the load started."""

    def warm(self, samples: Samples, now: float) -> bool:
        """Whether the warm-up is over."""

    def enough(self, samples: Samples, window: Window) -> bool:
        """Whether the requests scheduled within `window`, from the end of the warm-up to now, suffice."""


@dataclass(frozen=True)
class Limits:
    """When warm-up and window end whatever the watch says; `ends_s` is when the arrivals run out."""

    warmup_max_s: float  # since the load started
    max_s: float  # length of the window
    ends_s: float = math.inf  # since the load started

    def __post_init__(self) -> None:
        if not 0 <= self.warmup_max_s < math.inf:
            raise ValueError(f"warmup_max_s is at least 0, not {self.warmup_max_s}")
        if not 0 < self.max_s < math.inf:
            raise ValueError(f"max_s is more than 0 and finite, not {self.max_s}")
        if not self.ends_s >= 0:
            raise ValueError(f"ends_s is at least 0, not {self.ends_s}")


def conduct(
    parts: Sequence[Part],
    watch: Watch,
    limits: Limits,
    *,
    stop: StopSignal | None = None,
    on_phase: Callable[[str], None] = lambda _: None,
    lead_s: float = LEAD_S,
    clock: Callable[[], float] = time.perf_counter,
    wall_clock: Callable[[], float] = time.time,
    sleep: Callable[[float], None] = time.sleep,
) -> LoadRecord:
    """Warm up until the watch says so, measure until it has enough, drain; the parts are not started yet.

    The window opens when the warm-up is found to be over, and closes when the watch has enough or a limit is
    reached; requests scheduled outside of it are in the record and do not count. Without any warm-up, when the
    arrivals have run out before, it is empty. `stop` ends the load at once, with what has ended by then. `on_phase`
    hears "warm-up", "measure" and "drain" when they begin. However this ends, no part goes on: an exception, and
    KeyboardInterrupt too, aborts them all.

    `lead_s` is the time from this call to time 0 of the load, which all parts must have heard of by then.
    """
    load = _Load(parts, limits, stop, clock, sleep)
    try:
        load.start(wall_clock() + lead_s, lead_s)
        on_phase("warm-up")
        start = load.run_until(limits.warmup_max_s, lambda now: watch.warm(load.samples(), now))
        on_phase("measure")
        end = load.run_until(start + limits.max_s, lambda now: watch.enough(load.samples(), (start, now)))
        on_phase("drain")
        return load.finish((start, end))
    except BaseException:
        load.abort()
        raise


class _Load:
    def __init__(
        self,
        parts: Sequence[Part],
        limits: Limits,
        stop: StopSignal | None,
        clock: Callable[[], float],
        sleep: Callable[[float], None],
    ) -> None:
        self._parts = parts
        self._ends_s = limits.ends_s
        self._is_stopped = stop.is_set if stop is not None else lambda: False
        self._clock = clock
        self._sleep = sleep
        self._collected = CollectedSamples()
        self.samples = self._collected.samples

    def start(self, at: float, lead_s: float) -> None:
        self._origin = self._clock() + lead_s
        for part in self._parts:
            part.start(at)
        self._ask_at = ASK_EVERY_S

    def run_until(self, latest: float, is_over: Callable[[float], bool]) -> float:
        """Seconds since the load started when it is over, when nothing more can come, or `latest`."""
        latest = min(latest, self._ends_s)
        while not self._is_stopped():
            now = self._clock() - self._origin
            if now >= latest:
                return latest
            if now >= self._ask_at:
                self._collected.add([part.progress() for part in self._parts])
                self._ask_at = now + ASK_EVERY_S
                if is_over(now):
                    return now
                now = self._clock() - self._origin
            self._sleep(max(SHORTEST_SLEEP_S, min(self._ask_at, latest) - now))
        return max(0.0, min(self._clock() - self._origin, latest))

    def finish(self, window: Window) -> LoadRecord:
        if self._is_stopped():
            self.abort()
        for part in self._parts:
            part.stop()
        records = [part.collect() for part in self._parts]
        samples = Samples.concat([record.samples for record in records])
        return LoadRecord(samples, window, busiest(record.ticks.use(window) for record in records), self._origin)

    def abort(self) -> None:
        for part in self._parts:
            with contextlib.suppress(Exception):  # the others are to end as well
                part.abort()
