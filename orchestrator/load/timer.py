"""Calls back at a moment, to some ten microseconds where the system can.

uvloop's own timers have a resolution of 1 ms (libuv's): requests would leave up to a millisecond late.
"""

from __future__ import annotations

import asyncio
import ctypes
import math
import os
import sys
import time
from collections.abc import Callable
from typing import Protocol

_CLOCK_MONOTONIC = 1
_TFD_NONBLOCK_CLOEXEC = os.O_NONBLOCK | getattr(os, "O_CLOEXEC", 0)
_TFD_TIMER_ABSTIME = 1


class Timer(Protocol):
    """One moment at a time; times are readings of `time.perf_counter`. Of the thread that runs the event loop."""

    def set(self, when: float) -> None:
        """Call back at `when`, or as soon as possible if that has passed; infinity is never. The last one counts."""

    def close(self) -> None:
        """Never call back again."""


def precise_timer(loop: asyncio.AbstractEventLoop, on_time: Callable[[], None]) -> Timer:
    """The best timer this system has; it calls `on_time`, once for each time it was set."""
    # A timer descriptor must go by the clock that the times are readings of.
    linux = sys.platform == "linux" and "CLOCK_MONOTONIC" in time.get_clock_info("perf_counter").implementation
    return DescriptorTimer(loop, on_time) if linux else LoopTimer(loop, on_time)


class _Timespec(ctypes.Structure):
    _fields_ = (("seconds", ctypes.c_long), ("nanoseconds", ctypes.c_long))


class _Itimerspec(ctypes.Structure):
    _fields_ = (("interval", _Timespec), ("value", _Timespec))


class DescriptorTimer:
    """A Linux timer descriptor (timerfd_create(2)), which the event loop waits for like for a socket.

    Its moment is absolute and without the slack of time-outs. Setting it clears that it has gone off, so that it is
    never read: one system call each time.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, on_time: Callable[[], None]) -> None:
        # PyDLL: these calls never block, and to let go of the GIL would invite other threads to take it.
        libc = ctypes.PyDLL(None, use_errno=True)
        self._settime = libc.timerfd_settime
        self._spec = _Itimerspec()
        self._value = self._spec.value
        self._at = ctypes.byref(self._spec)
        self._loop = loop
        self._on_time = on_time
        self._is_set = False
        self._fd = libc.timerfd_create(_CLOCK_MONOTONIC, _TFD_NONBLOCK_CLOEXEC)
        if self._fd < 0:
            raise OSError(ctypes.get_errno(), "timerfd_create failed")
        loop.add_reader(self._fd, self._fire)

    def set(self, when: float) -> None:  # noqa: D102
        if self._fd < 0:
            return
        if when == math.inf:
            self._clear()
            return
        seconds = int(when)
        self._value.seconds = seconds
        self._value.nanoseconds = int((when - seconds) * 1e9) or 1  # all zero would mean never
        self._settime(self._fd, _TFD_TIMER_ABSTIME, self._at, None)
        self._is_set = True

    def close(self) -> None:  # noqa: D102
        if self._fd >= 0:
            self._loop.remove_reader(self._fd)
            os.close(self._fd)
            self._fd = -1

    def _fire(self) -> None:
        if self._fd < 0:
            return
        self._is_set = False
        self._on_time()
        if not self._is_set and self._fd >= 0:
            self._clear()  # or it would go off for ever

    def _clear(self) -> None:
        self._value.seconds = self._value.nanoseconds = 0
        self._settime(self._fd, 0, self._at, None)
        self._is_set = False


class LoopTimer:
    """The event loop's own timer, for systems without the other one."""

    def __init__(self, loop: asyncio.AbstractEventLoop, on_time: Callable[[], None]) -> None:
        self._loop = loop
        self._on_time = on_time
        self._handle: asyncio.TimerHandle | None = None
        self._when = math.inf
        self._closed = False

    def set(self, when: float) -> None:  # noqa: D102
        if self._handle is not None:
            self._handle.cancel()
        self._when = when
        if when < math.inf and not self._closed:
            self._handle = self._loop.call_later(max(0.0, when - time.perf_counter()), self._fire)

    def close(self) -> None:  # noqa: D102
        self._closed = True
        self.set(math.inf)

    def _fire(self) -> None:
        if time.perf_counter() < self._when:
            self.set(self._when)  # a loop that rounds to milliseconds may be early
        else:
            self._on_time()
