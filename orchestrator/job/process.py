"""The process of one job: imports it, builds it, runs its steps, and times them. To be run as one Ray actor.

It imports next to nothing, so that what it needs of memory is the job's.
"""

from __future__ import annotations

import importlib
import os
import resource
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

from orchestrator.errors import DeploymentFailedError, InfeasibleError
from orchestrator.job.contract import Job, read_report

SAID_INFEASIBLE = "infeasible:"
"""How the text of an exception begins by which a job says that it cannot be had, as an application does."""

NO_MEMORY = ("out of memory", "enough memory", "bad_alloc", "failed to allocate", "allocate memory")
"""How libraries say that there is no memory left; each has an exception of its own for it, or none."""


class StepRow(NamedTuple):
    """One step: readings of `time.perf_counter`, which all processes of a machine share, and what it reported."""

    started_s: float
    ended_s: float
    items: int
    parts: Mapping[str, float]
    accuracy: float | None


class JobProcess:
    """One job. The methods are called in their order; what they raise is told in one sentence.

    Raises, from each of them:
        InfeasibleError: there is no memory for it here, or it says itself that there is no such configuration.
        DeploymentFailedError: the job's own code raised, or it is no job.
    """

    def __init__(self) -> None:
        self._build: Callable[[dict], Job] | None = None
        self._args: dict[str, Any] = {}
        self._job: Job | None = None
        self._import_s = 0.0

    def pid(self) -> int:
        """Of this process."""
        return os.getpid()

    def prepare(self, import_path: str, args: Mapping[str, Any]) -> None:
        """Imports the job, and does what is done once and kept."""
        self._args = dict(args)
        name, _, attribute = import_path.replace(":", ".").rpartition(".")
        with _told(f"import {name}"):
            started = time.perf_counter()
            module = importlib.import_module(name)
            self._build = getattr(module, attribute)
            self._import_s = time.perf_counter() - started
        if prepare := getattr(module, "prepare", None):
            with _told("prepare()"):
                prepare(dict(self._args))

    def build(self) -> float:
        """Builds the job; returns how long that and importing it took, in seconds."""
        assert self._build is not None, "a job is prepared first"
        with _told(f"{self._build.__name__}()"):
            started = time.perf_counter()
            self._job = self._build(dict(self._args))
            took_s = time.perf_counter() - started
        if not callable(getattr(self._job, "step", None)):
            kind = type(self._job).__name__
            raise DeploymentFailedError(f"{self._build.__name__}() has to return a job with step(), not a {kind}")
        return self._import_s + took_s

    def run(self, for_s: float) -> list[StepRow]:
        """Steps, one after the other, until `for_s` seconds have passed; at least one."""
        assert self._job is not None, "a job is built first"
        rows: list[StepRow] = []
        began = time.perf_counter()
        while not rows or rows[-1].ended_s - began < for_s:
            with _told("step()"):
                started = time.perf_counter()
                report = self._job.step()
                ended = time.perf_counter()
            try:
                rows.append(StepRow(started, ended, *read_report(report)))
            except ValueError as error:
                raise DeploymentFailedError(str(error)) from None
        return rows

    def memory_mib(self) -> float:
        """The most memory that this process has had so far (resident set), without processes that it started."""
        unit = 1 if sys.platform == "darwin" else 1024  # bytes there, kilobytes elsewhere
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**20

    def close(self) -> None:
        """Lets the job clean up, if it has anything to."""
        if close := getattr(self._job, "close", None):
            with _told("close()"):
                close()


@contextmanager
def _told(where: str) -> Iterator[None]:
    """What raises within is told as one of our errors, in a line that says where."""
    try:
        yield
    except MemoryError as error:
        raise InfeasibleError(f"{where}: there is not enough memory: {_line(error)}") from None
    except Exception as error:
        if str(error).startswith(SAID_INFEASIBLE):
            raise InfeasibleError(str(error).removeprefix(SAID_INFEASIBLE).strip()) from None
        if any(words in str(error).lower() for words in NO_MEMORY):
            raise InfeasibleError(f"{where}: there is not enough memory: {_line(error)}") from None
        raise DeploymentFailedError(f"{where} raised {type(error).__name__}: {_line(error)}") from None


def _line(error: BaseException) -> str:
    """The last line of what an exception says: libraries put the cause there, after their own stack."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1] if lines else type(error).__name__
