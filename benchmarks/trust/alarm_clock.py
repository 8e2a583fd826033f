"""Answers that leave at their time, to some hundredths of a millisecond.

Event loops round timers to milliseconds; timers of the kernel are exact, but a sleeping processor takes 0.1 to 0.3
ms to wake up. So the alarm is set early by as much as waking up took lately, and the rest is waited out awake.
"""

from __future__ import annotations

import asyncio
import ctypes
import heapq
import os
import time
from array import array
from collections.abc import Callable
from itertools import count

# From <linux/time.h> and <sys/timerfd.h>; Python has wrappers for these calls only since 3.13.
CLOCK_MONOTONIC, TFD_NONBLOCK, TFD_CLOEXEC, TFD_TIMER_ABSTIME = 1, 0o4000, 0o2000000, 1

LONGEST_LEAD_NS = 400_000  # waited awake at most: on a busy machine wake-ups are later, and spinning would add to it
FIRST_LEAD_NS = 200_000
LEAD_STEP_NS = 4_000
ON_TIME_SHARE = 0.8  # of the wake-ups; being earlier would cost more processor time than it gains


class AlarmClock:
    """Calls `ring` on the running event loop at a time of `time.monotonic_ns`. Linux only."""

    def __init__(self, ring: Callable[[], None]) -> None:
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._fd = self._libc.timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC)
        if self._fd < 0:
            raise OSError(ctypes.get_errno(), "timerfd_create failed")
        self._times = (ctypes.c_long * 4)()  # struct itimerspec: interval s, ns; value s, ns
        self._ring = ring
        asyncio.get_running_loop().add_reader(self._fd, self._on_expired)

    def set(self, at_ns: int) -> None:
        """Replace the alarm; a time that has passed rings at once."""
        self._times[2], self._times[3] = divmod(at_ns, 1_000_000_000)
        self._libc.timerfd_settime(self._fd, TFD_TIMER_ABSTIME, self._times, None)

    def _on_expired(self) -> None:
        try:
            os.read(self._fd, 8)
        except BlockingIOError:
            return  # it was set anew after it had expired
        self._ring()


class Answers:
    """What is due later, in a heap; `late_ns` keeps how long after its time each was sent."""

    def __init__(self) -> None:
        self.late_ns = array("q")
        self._due: list[tuple[int, int, Callable[[], None]]] = []
        self._number = count().__next__  # settles ties in the heap
        self._alarm = AlarmClock(self._wake)
        self._alarm_ns = 0
        self._lead_ns = FIRST_LEAD_NS

    def at(self, due_ns: int, send: Callable[[], None]) -> None:
        """Call `send` at this time of `time.monotonic_ns`, which may have come."""
        entry = (due_ns, self._number(), send)
        heapq.heappush(self._due, entry)
        if self._due[0] is entry:
            self._set_alarm(due_ns)

    def _set_alarm(self, due_ns: int) -> None:
        self._alarm_ns = due_ns - self._lead_ns
        self._alarm.set(self._alarm_ns)

    def _wake(self) -> None:
        now_ns = time.monotonic_ns()
        # Moves towards the quantile of the time that waking up takes.
        was_late = now_ns - self._alarm_ns > self._lead_ns
        step_ns = LEAD_STEP_NS * (ON_TIME_SHARE if was_late else ON_TIME_SHARE - 1)
        self._lead_ns = min(LONGEST_LEAD_NS, max(0, round(self._lead_ns + step_ns)))
        due = self._due
        while due and due[0][0] - now_ns <= self._lead_ns:
            due_ns, _, send = heapq.heappop(due)
            while now_ns < due_ns:
                now_ns = time.monotonic_ns()
            send()
            now_ns = time.monotonic_ns()
            self.late_ns.append(now_ns - due_ns)
        if due:
            self._set_alarm(due[0][0])

    def lateness_ms(self) -> dict[str, float]:
        """How many answers were sent, and how late: mean, median, p99 and maximum."""
        late = sorted(nanoseconds / 1e6 for nanoseconds in self.late_ns) or [0.0]
        places = {"p50": 0.5, "p99": 0.99, "max": 1.0}
        shares = {f"late_{name}_ms": late[int((len(late) - 1) * share)] for name, share in places.items()}
        return {"answers": len(self.late_ns), "late_mean_ms": sum(late) / len(late), **shares}
