"""One process's part of a load, on a thread of its own."""

from __future__ import annotations

import asyncio
import contextlib
import resource
import sys
import threading
import time
from collections.abc import Sequence
from typing import Any

import uvloop

from orchestrator.load.closed_loop import ClosedLoopDriver
from orchestrator.load.driver import Driver
from orchestrator.load.endpoint import Endpoint
from orchestrator.load.open_loop import OpenLoopDriver
from orchestrator.load.plan import ClosedLoop, OpenLoop, Traffic
from orchestrator.load.record import GeneratorRecord
from orchestrator.load.recorder import Recorder
from orchestrator.load.usage import UsageMeter
from orchestrator.measure.samples import Samples

TICK_S = 0.05  # how often time-outs are looked for, and records are settled
DRAIN_TICK_S = 0.005  # shorter: nothing is measured any more, and every trial waits for it
OTHER_FILES = 256  # open in the process besides connections
SWITCH_INTERVAL_S = 1e-4
"""How long another thread of this process may keep the interpreter while this one has something to send. Python's
own 5 ms would be added to latencies whenever somebody looks at the samples so far."""


class Generator:
    """Sends `requests` in turn, as `traffic` says, and records what became of each.

    `start`, then `stop` and `collect`; `abort` at any time. All return at once but `collect`, which waits for the
    drain. A failure of the generator itself (not of a request) is raised by the next `progress` or `collect`.

    A request without a complete answer is given up `timeout_s` after it was scheduled (open loop: TIMEOUT, or UNSENT
    if it never left) or after sending it began (closed loop: TIMEOUT). The drain takes no longer than that either.
    """

    def __init__(self, endpoint: Endpoint, requests: Sequence[bytes], traffic: Traffic, timeout_s: float) -> None:
        if not requests:
            raise ValueError("a load needs at least one request to send")
        if not timeout_s > 0:
            raise ValueError(f"timeout_s is more than 0, not {timeout_s}")
        self._endpoint = endpoint
        self._requests = requests
        self._traffic = traffic
        self._timeout_s = timeout_s
        self._thread = threading.Thread(target=self._run, name="load-generator", daemon=True)
        self._loop: asyncio.AbstractEventLoop | None = None  # of that thread, once it runs
        self._stopped = False
        self._aborted = False
        self._error: BaseException | None = None
        self._recorder = Recorder(origin=0.0)  # until time 0 is known
        self._reported = 0  # rows that `progress` has returned

    def start(self, at: float) -> None:
        """Begin; time 0 of the load is when `time.time()` is `at`, on every machine that takes part."""
        self._recorder = Recorder(perf_counter_at(at))
        if isinstance(self._traffic, OpenLoop):
            _allow_open_files(self._traffic.max_connections + OTHER_FILES)
        self._thread.start()

    def progress(self) -> Samples:
        """The rows since the last call, up to this moment, without the server's own times (NaN)."""
        self._raise_error()
        samples = self._recorder.progress(self._reported)
        self._reported += len(samples)
        return samples

    def stop(self) -> None:
        """Schedule nothing more; what is under way, or due and waiting, still has until its time-out."""
        self._stopped = True
        self._wake()

    def collect(self) -> GeneratorRecord:
        """Stop, wait until the last request has ended, and return everything."""
        self.stop()
        self._thread.join()
        self._raise_error()
        return GeneratorRecord(self._recorder.samples(), self._ticks)

    def abort(self) -> None:
        """End at once: all connections are closed, and requests under way leave no sample."""
        self._aborted = True
        self._wake()
        if self._thread.ident is not None:  # it has been started
            self._thread.join()

    def _wake(self) -> None:
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):  # closed: it has ended already
                self._loop.call_soon_threadsafe(self._ending.set)

    def _raise_error(self) -> None:
        if self._error is not None:
            raise self._error

    # What runs on the thread

    def _run(self) -> None:
        interval_s = sys.getswitchinterval()
        sys.setswitchinterval(min(interval_s, SWITCH_INTERVAL_S))
        try:
            uvloop.run(self._drive())
        except BaseException as error:  # whatever it is, somebody waits to hear of it
            self._error = error
        finally:
            sys.setswitchinterval(interval_s)

    async def _drive(self) -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(self._on_exception)
        self._ending = asyncio.Event()
        self._loop = loop
        driver = self._driver()
        meter = UsageMeter()
        try:
            await self._send(driver, meter)
            await self._drain(driver)
        finally:
            driver.close()
            self._ticks = meter.ticks(driver.connections, driver.held_back)
            meter.close()
            await asyncio.sleep(0)  # lets the event loop let go of the sockets
        if self._error is not None:
            raise self._error

    def _driver(self) -> Driver:
        if isinstance(self._traffic, ClosedLoop):
            return ClosedLoopDriver(self._traffic, self._endpoint, self._requests, self._timeout_s, self._recorder)
        return OpenLoopDriver(self._traffic, self._endpoint, self._requests, self._timeout_s, self._recorder)

    async def _send(self, driver: Driver, meter: UsageMeter) -> None:
        ending = asyncio.ensure_future(self._ending.wait())
        while not self._stopped and not self._ended:
            meter.tick(time.perf_counter() - self._recorder.origin)
            await asyncio.wait({ending}, timeout=TICK_S)
            driver.give_up_overdue(time.perf_counter())
            self._recorder.settle()
        meter.tick(time.perf_counter() - self._recorder.origin)
        ending.cancel()

    async def _drain(self, driver: Driver) -> None:
        now = time.perf_counter()
        give_up_at = now + self._timeout_s
        driver.stop(now)
        while not driver.idle and not self._ended:
            await asyncio.sleep(DRAIN_TICK_S)
            now = time.perf_counter()
            driver.give_up_overdue(now)
            if now >= give_up_at:
                driver.give_up_all()

    @property
    def _ended(self) -> bool:
        return self._aborted or self._error is not None

    def _on_exception(self, _: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if error is not None and not isinstance(error, OSError):  # those are the network's: some request failed
            self._error = error
            self._ending.set()


def perf_counter_at(at: float) -> float:
    """What `time.perf_counter` shows when `time.time()` is `at`, if no clock is set meanwhile."""
    readings = []
    for _ in range(5):  # a thread can be held up between two readings; hardly all five times
        before, wall, after = time.perf_counter(), time.time(), time.perf_counter()
        readings.append((after - before, (before + after) / 2 - wall))
    return at + min(readings)[1]


def _allow_open_files(wanted: int) -> None:
    """Raise this process's soft limit as far as it may: many systems start with 1,024."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, most), hard))
