"""Any searcher, and after its last trial the replications that confirm what it found."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ray import cloudpickle
from ray.tune.search import Searcher

from orchestrator.confirmation import Cell, Contender, Series, line_up, line_up_across
from orchestrator.result import BASELINE, Configuration, Status
from orchestrator.search.frame import StudySearcher
from orchestrator.search.report import score_of


class ConfirmingSearch(Searcher):
    """Passes on what `searcher` suggests, and when that is over and measured, replications one at a time.

    A replication is suggested as {"number", "configuration", "confirms", "replication"}: the number of the trial that
    is measured again, and for which time, from 0 on. Numbers go on from those of the search. Results are those that
    `searcher` takes, which hears of its own trials only.
    """

    def __init__(
        self,
        searcher: StudySearcher,
        maximize: bool,
        top: int,
        replications: int,
        most: int,
        across: str | None = None,
    ) -> None:
        """`top`, `replications` and `most` are those of `Series`; with a `top` of 0 nothing is measured again.

        With `across`, the path of a knob, the best `top` compromises for all of its values are, under each of them.
        """
        super().__init__()
        self._searcher = searcher
        self._maximize = maximize
        self._top, self._across = top, across
        self._replications, self._most = replications, most
        self._number = 0  # of the next replication
        self._searching: dict[str, dict[str, Any]] = {}  # suggestions of the searcher that are out
        self._configurations: dict[int, Configuration] = {}  # of the trials that were measured
        self._contenders: list[Contender] = []
        self._series: Series | None = None
        self._confirming: dict[str, Cell] = {}

    @property
    def pruned(self) -> Mapping[str, int]:
        """What the searcher left out."""
        return self._searcher.pruned

    @property
    def random_trials(self) -> int:
        """See `StudySearcher`."""
        return self._searcher.random_trials

    @property
    def ending(self) -> str:
        """See `StudySearcher`."""
        return self._searcher.ending

    def suggest(self, trial_id: str) -> dict[str, Any] | str | None:
        """The searcher's suggestion or the next replication; None for "not now", FINISHED after the last one."""
        if self._series is None:
            suggestion = self._searcher.suggest(trial_id)
            if suggestion is None:
                return None
            if isinstance(suggestion, dict):
                self._searching[trial_id] = copy.deepcopy(suggestion)
                self._number = suggestion["number"] + 1
                return suggestion
            if self._searching:
                return None  # one of these may be the best
            self._series = self._begin()
        if self._confirming:
            return None  # replications that run at the same time would disturb each other
        cell = self._series.next
        if cell is None:
            return Searcher.FINISHED
        self._confirming[trial_id] = cell
        number, self._number = self._number, self._number + 1
        configuration = copy.deepcopy(self._configurations[cell.confirms])
        return {"number": number, "configuration": configuration, **cell._asdict()}

    def on_trial_result(self, trial_id: str, result: Mapping[str, Any]) -> None:
        """Nothing: a trial reports once, at its end."""

    def on_trial_complete(self, trial_id: str, result: Mapping[str, Any] | None = None, error: bool = False) -> None:
        """Learn from a trial that ended, however it ended."""
        report = result if result and not error else {}
        status = Status(report.get("status", Status.FAILED))
        if trial_id in self._confirming and self._series is not None:
            self._series.tell(self._confirming.pop(trial_id), status, score_of(report))
            return
        self._searcher.on_trial_complete(trial_id, result, error)
        if trial_id in self._searching:
            self._remember(self._searching.pop(trial_id), status, report)

    def replay(self, finished: Sequence[tuple[int, Configuration, Mapping[str, Any]]]) -> None:
        """See `StudySearcher.replay`; earlier replications do not count."""
        self._searcher.replay(finished)
        for number, configuration, report in finished:
            self._number = number + 1
            suggestion = {"number": number, "configuration": configuration}
            self._remember(suggestion, Status(report["status"]), report)

    def save(self, checkpoint_path: str) -> None:
        """Write the whole state to a file, the searcher's included."""
        Path(checkpoint_path).write_bytes(cloudpickle.dumps(self.__dict__))

    def restore(self, checkpoint_path: str) -> None:
        """Continue from a file that `save` wrote, with the trials that were out then."""
        self.__dict__.update(cloudpickle.loads(Path(checkpoint_path).read_bytes()))

    def _remember(self, suggestion: Mapping[str, Any], status: Status, report: Mapping[str, Any]) -> None:
        number, configuration = suggestion["number"], suggestion["configuration"]
        if status in (Status.COMPLETE, Status.INVALID):  # the baseline may be invalid once, and not the next time
            self._configurations[number] = configuration
        score = score_of(report)
        if status is Status.COMPLETE and score is not None:
            self._contenders.append(Contender(number, configuration, score))

    def _begin(self) -> Series:
        if self._across is not None:
            line = line_up_across(self._contenders, self._across, self._top, self._maximize)
            return Series(line, None, len(line), self._replications, self._replications, self._maximize)
        baseline = BASELINE if BASELINE in self._configurations else None
        line = line_up(self._contenders, self._maximize)
        return Series(line, baseline, self._top, self._replications, self._most, self._maximize)
