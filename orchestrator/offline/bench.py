"""What an offline trial needs of the outside: a process for its job."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Protocol

from orchestrator.measure.samples import Window
from orchestrator.measure.steps import Steps


class Bench(Protocol):
    """A fresh process on the trial's machine, and what that machine was used for.

    Each method raises InfeasibleError where there is no memory, or the job says itself that it cannot be had, and
    DeploymentFailedError where the job's own code raised or its process died.
    """

    def prepare(self, import_path: str, args: Mapping) -> None:
        """Imports the job, and lets it do what is done once and kept."""

    def build(self, timeout_s: float) -> float:
        """Builds it; returns the seconds that importing and building took. TimeoutError: not by then."""

    def steps(self, for_s: float, timeout_s: float) -> Steps:
        """Steps for so many seconds, at least one. TimeoutError: the last of them has not ended `timeout_s` later."""

    def memory_mib(self) -> float:
        """The most memory that the process has had."""

    def use(self, window: Window) -> Mapping[str, float]:
        """What the machine was used for between two times of the steps: `orchestrator.resources`, by name."""


FreshProcess = Callable[[], AbstractContextManager[Bench]]
"""Starts one, and ends it with the context."""
