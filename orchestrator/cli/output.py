"""Keeps the terminal to ourselves while libraries and their processes write to a log file."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from rich.console import Console

WIDE = 140
"""Letters in a line of a file or a pipe, which have no width of their own."""


def screen(file: TextIO) -> Console:
    """What to print on: as wide as the terminal, or as the variable COLUMNS says, else `WIDE`."""
    return Console(file=file, width=None if file.isatty() or "COLUMNS" in os.environ else WIDE)


@dataclass(frozen=True)
class Output:
    """The real stdout and stderr of this process."""

    stdout: TextIO
    stderr: TextIO


@contextmanager
def own_output(log: Path) -> Iterator[Output]:
    """Sends file descriptors 1 and 2 of this process, and of those it starts, to `log`; yields the real ones.

    Ray's daemons write to the descriptors they inherit, so redirecting `sys.stdout` would not be enough.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    sys.stdout.flush()
    sys.stderr.flush()
    kept = os.dup(1), os.dup(2)
    with log.open("a") as file, os.fdopen(os.dup(1), "w") as stdout, os.fdopen(os.dup(2), "w") as stderr:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
        try:
            yield Output(stdout, stderr)
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            for descriptor, original in zip((1, 2), kept, strict=True):
                os.dup2(original, descriptor)
                os.close(original)
