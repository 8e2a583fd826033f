"""Keeps all processors awake, so that what is measured is not how long a sleeping one takes to wake up.

    python benchmarks/trust/awake.py    # until Ctrl-C

A processor that has nothing to do sleeps; that of a virtual machine is even taken from it, and waking up then takes
from tenths of a millisecond to several milliseconds. Hosts that are tuned for latency do not let them sleep (the kernel
parameter `idle=poll`); this has the same effect: on each one a loop of the scheduling class "idle" (sched(7)), which
gives way to everybody at once. The orchestrator counts what such processes use as idle time. Linux only.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

LOOP = """
import os, sys
os.sched_setaffinity(0, {int(sys.argv[1])})
os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
while os.getppid() == int(sys.argv[2]):
    for _ in range(1_000_000):
        pass
"""


@contextmanager
def processors_awake() -> Iterator[None]:
    """As long as the block lasts, or this process."""
    loops = [
        subprocess.Popen([sys.executable, "-S", "-c", LOOP, str(core), str(os.getpid())])
        for core in sorted(os.sched_getaffinity(0))
    ]
    try:
        yield
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()


if __name__ == "__main__":
    ends = {signal.SIGINT, signal.SIGTERM}
    signal.pthread_sigmask(signal.SIG_BLOCK, ends)  # they are waited for
    with processors_awake():
        signal.sigwait(ends)
