"""Those who keep and watch a study that nobody keeps or watches."""

from __future__ import annotations

from orchestrator.result import Configuration, TrialResult


class NoTracker:
    """Keeps nothing."""

    def start_study(self, **what: object) -> str:
        return "none"

    def start_trial(self, number: int, configuration: Configuration, confirms: int | None = None) -> None:
        """Nothing."""

    def finish_trial(self, result: TrialResult) -> None:
        """Nothing."""

    def finish_study(self, study: object) -> None:
        """Nothing."""

    def kill(self, reason: str) -> None:
        """Nothing."""


class Unwatched:
    """An observer that looks away."""

    def study_started(self, study_id: str) -> None:
        """Nothing."""

    def trial_started(self, number: int, configuration: Configuration, confirms: int | None) -> None:
        """Nothing."""

    def trial_finished(self, result: TrialResult, incumbent: TrialResult | None) -> None:
        """Nothing."""
