"""The turns of a checklist as a searcher: trials in the first round, replications of them in those that follow."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from ray import cloudpickle
from ray.tune.search import Searcher

from orchestrator.checklist import Rounds, Turn
from orchestrator.result import Status
from orchestrator.search.report import score_of


class RoundsSearch(Searcher):
    """Suggests whose turn it is by `rounds`, one at a time, and none later than `budget_s` after the first."""

    pruned: ClassVar[Mapping[str, int]] = {}

    def __init__(self, rounds: Rounds, budget_s: float = math.inf) -> None:
        super().__init__()
        self._rounds = rounds
        self._budget_s = budget_s
        self._began_s: float | None = None  # on the clock `time.monotonic`
        self._number = 0  # of the next replication
        self._out: Turn | None = None
        self.is_late = False  # whether its time was over before there was nothing more to find out

    def suggest(self, trial_id: str) -> dict[str, Any] | str | None:
        """As of `ConfirmingSearch`; None for "not now", FINISHED after the last turn."""
        del trial_id
        if self._out is not None:
            return None
        turn = self._rounds.next
        if turn is None:
            return Searcher.FINISHED
        self._began_s = time.monotonic() if self._began_s is None else self._began_s
        if time.monotonic() - self._began_s >= self._budget_s:
            self.is_late = True
            return Searcher.FINISHED
        self._out = turn
        configurations = self._rounds.configurations
        self._number = max(self._number, len(configurations))
        suggestion = {"number": turn.number, "configuration": dict(configurations[turn.number])}
        if not turn.round_:
            return suggestion
        number, self._number = self._number, self._number + 1
        return {**suggestion, "number": number, "confirms": turn.number, "replication": turn.round_ - 1}

    def on_trial_result(self, trial_id: str, result: Mapping[str, Any]) -> None:
        """Nothing: a trial reports once, at its end."""

    def on_trial_complete(self, trial_id: str, result: Mapping[str, Any] | None = None, error: bool = False) -> None:
        """The next one may follow."""
        del trial_id
        report = result if result and not error else {}
        turn, self._out = self._out, None
        if turn is not None:
            status, why = Status(report.get("status", Status.FAILED)), "; ".join(report.get("reasons") or ())
            self._rounds.tell(turn, status, score_of(report), why)

    def save(self, checkpoint_path: str) -> None:
        """Write the whole state to a file."""
        Path(checkpoint_path).write_bytes(cloudpickle.dumps(self.__dict__))

    def restore(self, checkpoint_path: str) -> None:
        """Continue from a file that `save` wrote."""
        self.__dict__.update(cloudpickle.loads(Path(checkpoint_path).read_bytes()))
