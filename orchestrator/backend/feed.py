"""Carries phases and results of trials to the study's process: a Ray actor.

Ray Tune's own results are kept, copied and written to disk many times over; samples do not belong in them.
"""

from __future__ import annotations

import time

from orchestrator.result import TrialResult


class Feed:
    """A mailbox between the trials and the study; to be run as one Ray actor."""

    def __init__(self) -> None:
        self._phases: dict[int, tuple[str, float]] = {}
        self._results: dict[int, TrialResult] = {}

    def phase(self, number: int, phase: str) -> None:
        """Trial `number` enters a phase now."""
        self._phases[number] = (phase, time.time())

    def phases(self) -> dict[int, tuple[str, float]]:
        """{running trial: (phase, seconds it has lasted)}."""
        now = time.time()
        return {number: (phase, now - since) for number, (phase, since) in self._phases.items()}

    def deliver(self, result: TrialResult) -> None:
        """The result of a trial, to be taken once."""
        self._phases.pop(result.number, None)
        self._results[result.number] = result

    def take(self, number: int) -> TrialResult | None:
        """The result of trial `number`; None when it never got that far."""
        self._phases.pop(number, None)
        return self._results.pop(number, None)
