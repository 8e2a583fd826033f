"""Cores of its own for a replica: taken by file locks, so that replicas of any deployment on a node are disjoint.

Serve numbers the replicas of one deployment, and renumbers them when some are replaced; a lock ends with its process.
"""

from __future__ import annotations

import fcntl
import os
import tempfile
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import TextIO

from serve_apps.variant import InfeasibleError

PATIENCE_S = 20.0
"""A replica that is being replaced keeps its cores until it has answered what it had accepted."""

_POLL_S = 0.2


class Cores:
    """Cores that this process alone runs on; they are held for as long as this object, or the process, lives."""

    def __init__(self, numbers: frozenset[int], locks: list[TextIO]) -> None:
        self.numbers = numbers
        self._locks = locks

    def release(self) -> None:
        """Let others have them."""
        for lock in self._locks:
            lock.close()


def pin(count: int, patience_s: float = PATIENCE_S) -> Cores:
    """Takes so many cores and keeps every thread of this process to them. InfeasibleError if they are not to be had."""
    cores = take(count, os.sched_getaffinity(0), patience_s)
    for thread in _threads():
        with suppress(ProcessLookupError):  # it has ended in the meantime
            os.sched_setaffinity(thread, cores.numbers)  # threads that are started later inherit it
    found = frozenset(os.sched_getaffinity(0))
    if found != cores.numbers:
        raise RuntimeError(f"the replica runs on the cores {sorted(found)}, not on {sorted(cores.numbers)}")
    return cores


def take(count: int, allowed: Iterable[int], patience_s: float, folder: Path | None = None) -> Cores:
    """So many of the allowed cores that nobody holds, the lowest first. InfeasibleError after `patience_s`."""
    numbers = sorted(allowed)
    if count > len(numbers):
        raise InfeasibleError(f"args.pinning: a replica with {count} threads has to have as many cores of {numbers}")
    folder = folder or Path(tempfile.gettempdir()) / f"ray-serve-orchestrator-cores-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    deadline = time.monotonic() + patience_s
    while True:
        with (folder / "all").open("w") as turn:
            fcntl.flock(turn, fcntl.LOCK_EX)  # else two that look at the same time could each hold half
            free = {number: lock for number in numbers if (lock := _try(folder / f"core-{number}")) is not None}
            for number in [*free][count:] if len(free) >= count else [*free]:
                free.pop(number).close()
        if free:
            return Cores(frozenset(free), list(free.values()))
        if time.monotonic() > deadline:
            raise InfeasibleError(
                f"args.pinning: {count} of this node's cores {numbers} are not free; replicas × args.threads has to "
                f"be {len(numbers)} at most"
            )
        time.sleep(_POLL_S)


def _try(path: Path) -> TextIO | None:
    lock = path.open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        return None
    return lock


def _threads() -> list[int]:
    return [int(entry.name) for entry in Path("/proc/self/task").iterdir()]
