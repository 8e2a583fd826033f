"""What a study asks of a back end, and what it hears from one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from orchestrator.experiment import Experiment
from orchestrator.result import Configuration, TrialResult


class Listener(Protocol):
    """Hears of every trial, in the process of the study; calls come from one thread."""

    def trial_started(self, number: int, configuration: Configuration, confirms: int | None = None) -> None:
        """A trial, or a replication of the trial `confirms`, was given its place."""

    def trial_finished(self, result: TrialResult) -> None:
        """A trial ended, exactly once for each that started, unless the study is interrupted.

        Raises:
            StudyAbortedError: to end the study here.
        """


class Suggestions(Protocol):
    """A searcher as Ray Tune knows it (`ray.tune.search.Searcher`)."""

    @property
    def pruned(self) -> Mapping[str, int]:
        """How many configurations it left out before anything was deployed, by the reason."""

    def suggest(self, trial_id: str) -> Any:
        """What `orchestrator.assignment.Assignment.of` reads, None for "not now", or `Searcher.FINISHED`."""

    def on_trial_complete(self, trial_id: str, result: dict | None = None, error: bool = False) -> None:
        """Hears `report(result)` of a trial, or None and `error` when it was lost."""


class Backend(Protocol):
    """Something that can run trials."""

    def run(self, experiment: Experiment, searcher: Suggestions, listener: Listener) -> None:
        """Runs what the searcher suggests until it has no more; leaves nothing behind, however it ends."""


def report(result: TrialResult) -> dict[str, Any]:
    """What a searcher is told of a trial: its status with the reasons, and its score when it has one.

    `values` are the figures of all objectives in the file's order, the first of them `value`; `half_widths` half of
    their 95 % intervals, NaN where unknown. `excess` says how far the figure nearest to its limit is from it.
    """
    score = result.score
    return {
        "status": result.status.value,
        "reasons": list(result.reasons),
        "value": score.value if score else None,
        "violation": score.violation if score else None,
        "values": list(score.values) if score else None,
        "half_widths": list(score.half_widths) if score else None,
        "excess": score.excess if score else None,
        "shown": score.shown if score else None,
    }
