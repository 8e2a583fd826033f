"""A client that sends one request at a time and records how each one ended."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable

from orchestrator.load.connection import Connection
from orchestrator.load.endpoint import Endpoint
from orchestrator.load.recorder import Recorder
from orchestrator.measure.samples import Outcome

FIRST_BACKOFF_S = 0.01
LONGEST_BACKOFF_S = 1.0

_OK = int(Outcome.OK)  # enum look-ups are slow
_HTTP_ERROR = int(Outcome.HTTP_ERROR)
_BROKEN = int(Outcome.BROKEN)


def backoff_s(failures: int) -> float:
    """Pause before connecting after so many broken requests in a row: 10 ms, doubling, at most a second."""
    return min(FIRST_BACKOFF_S * 2.0 ** min(failures - 1, 32), LONGEST_BACKOFF_S) if failures else 0.0


def no_backoff_s(failures: int) -> float:  # noqa: ARG001
    """No pause: for requests that come at a rate which somebody else decides."""
    return 0.0


class Client:
    """Sends requests over a keep-alive connection of its own, which it opens and replaces as needed.

    `on_free(client, now)` is called in the callback in which a request ends, after its sample is recorded:
    `send` called from there puts the next request on the wire without a coroutine or a turn of the event
    loop. Times are readings of `clock`, in seconds. `pause_s(broken requests in a row)` is how long to wait
    before connecting once more.
    """

    busy: bool
    scheduled: float
    """When the request should have left."""
    began: float
    """When sending it, or connecting for it, began; infinity during a pause before that."""

    def __init__(
        self,
        endpoint: Endpoint,
        recorder: Recorder,
        clock: Callable[[], float],
        on_free: Callable[[Client, float], None],
        pause_s: Callable[[int], float] = backoff_s,
    ) -> None:
        self._endpoint = endpoint
        self._record = recorder.add
        self._clock = clock
        self._on_free = on_free
        self._pause_s = pause_s
        self._loop = asyncio.get_running_loop()
        self._connection: Connection | None = None
        self._connected = False
        self._retry: asyncio.TimerHandle | None = None
        self._failures = 0
        self._request = b""
        self.scheduled = self.began = self._sent = math.nan
        self.busy = False

    def send(self, request: bytes, scheduled: float) -> None:
        """Send `request`, which should have left at `scheduled`; only while not `busy`."""
        self.busy = True
        self.scheduled = scheduled
        if self._connected:
            self.began = self._sent = self._clock()
            self._connection.write(request)  # type: ignore[union-attr]  # connected, so there is one
            return
        self._request = request
        self._sent = math.nan
        self.began = math.inf  # a pause is our own doing: the time-out counts from when we try
        pause = self._pause_s(self._failures)
        self._retry = self._loop.call_later(pause, self._open) if pause else None
        if not pause:
            self._open()

    def give_up(self, outcome: int, unsent: int) -> None:
        """End the request under way with `outcome`, or with `unsent` if it has not left."""
        self._disconnect()
        self._end(unsent if math.isnan(self._sent) else outcome)

    def close(self) -> None:
        """Close the connection at once; a request that is still under way leaves no sample."""
        self.busy = False
        self._disconnect()

    # What the connection calls

    def on_connected(self) -> None:  # noqa: D102
        self._connected = True
        self._sent = self._clock()
        self._connection.write(self._request)  # type: ignore[union-attr]  # it is the caller

    def on_answer(self, status: int, answer: bytes, reusable: bool) -> None:  # noqa: D102
        now = self._clock()  # `_end` again, spelt out: this is run for every request
        self._failures = 0
        self.busy = False
        if not reusable:
            self._disconnect()
        self._record((self.scheduled, self._sent, now, _OK if status < 300 else _HTTP_ERROR, status, answer))
        self._on_free(self, now)

    def on_broken(self) -> None:  # noqa: D102
        self._disconnect()
        if self.busy:
            self._failures += 1
            self._end(_BROKEN)

    def _open(self) -> None:
        self.began = self._clock()
        self._connection = Connection(self)
        self._connection.open(self._loop, self._endpoint.host, self._endpoint.port)

    def _end(self, outcome: int) -> None:
        now = self._clock()
        self.busy = False
        self._record((self.scheduled, self._sent, now, outcome, 0, b""))
        self._on_free(self, now)

    def _disconnect(self) -> None:
        self._connected = False
        if self._retry is not None:
            self._retry.cancel()
        if self._connection is not None:
            self._connection.close()
            self._connection = None
