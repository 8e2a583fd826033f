"""What all algorithms have in common, towards Ray Tune and towards a space."""

from __future__ import annotations

import copy
import itertools
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from ray import cloudpickle
from ray.tune.search import Searcher

from orchestrator.plain import identity
from orchestrator.pruned import DUPLICATE
from orchestrator.result import BASELINE, Configuration
from orchestrator.search.algorithm import Algorithm, Task
from orchestrator.search.history import History, observe
from orchestrator.search.improvement import improvement_left
from orchestrator.search.loss import LEAST_VIOLATED

MOST_DRAWS = 10_000
"""How many random configurations may turn out to be known or pruned before the search ends."""

OUT_OF_TIME = "its time was over"
USED_UP = "there is nothing left to measure"


class StudySearcher(Searcher):
    """An algorithm as a Ray Tune searcher.

    The baseline comes first, and need not lie in the space; then the algorithm suggests `trials` times: nothing that is
    pruned, and nothing twice while the space has something new. Every choice depends on the seed, the number of the
    trial and what was learned before, and on nothing else.

    A suggestion is {"number": int, "configuration": {path: value}, "rival": {"value", "half_width"} | None}, number 0
    being the baseline; the rival is the best trial within the SLO so far, its half-width NaN where it is not known.
    With several objectives there is none: what is worse in one may be on the front.
    A result is what `orchestrator.backend.port.report` makes.
    """

    def __init__(self, task: Task, algorithm: Algorithm) -> None:
        super().__init__()
        self._task = task
        self._algorithm = algorithm
        self._batch = algorithm.batch if task.in_place else 1
        self._history = History()
        self._informed = 0  # trials of earlier studies
        self._given = 0
        self._lost = 0  # numbers of trials that were interrupted: they are not given again
        self._out: dict[str, Configuration] = {}
        self._queue: list[Configuration] = []  # chosen, and not yet given
        self._deployed = task.baseline  # by the trial that ended last: its place takes the next one
        self._pruned: dict[int, str] = {}  # the reason by the identity's hash: there may be a million of them
        self.ending = ""  # why the search ended before all of its trials were made
        self._rival: tuple[float, float, float] | None = None  # loss, value, half-width

    @property
    def pruned(self) -> Mapping[str, int]:
        """How many configurations were not worth deploying, by the reason."""
        return Counter(self._pruned.values())

    @property
    def random_trials(self) -> int:
        """How many trials after the baseline are left to chance before the algorithm knows enough."""
        return max(0, self._algorithm.random - self._informed - self._task.space.contains(self._task.baseline))

    def suggest(self, trial_id: str) -> dict[str, Any] | str | None:
        """The next suggestion; None while `parallel` trials are out, FINISHED after the last one."""
        if self.ending or self._given > self._task.trials + self._lost:
            return Searcher.FINISHED
        if self._given > BASELINE and self._task.is_over():
            self.ending = OUT_OF_TIME
            return Searcher.FINISHED
        if len(self._out) >= self._task.parallel:
            return None  # Tune asks ahead; an answer now would know nothing of the trials that are out
        configuration = None if self._is_flat() else self._next()
        if configuration is None:
            self.ending = self.ending or USED_UP
            return Searcher.FINISHED
        number, self._given = self._given, self._given + 1
        self._out[trial_id] = configuration
        _, value, half_width = self._rival or (None, None, None)
        rival = None if value is None else {"value": value, "half_width": half_width}
        return {"number": number, "configuration": copy.deepcopy(dict(configuration)), "rival": rival}

    def on_trial_result(self, trial_id: str, result: Mapping[str, Any]) -> None:
        """Nothing: a trial reports once, at its end."""

    def on_trial_complete(self, trial_id: str, result: Mapping[str, Any] | None = None, error: bool = False) -> None:
        """Learn from a trial that ended, however it ended; a trial that is not out is ignored."""
        if trial_id in self._out:
            self._learn(self._out.pop(trial_id), result if result and not error else {})

    def inform(self, observations: Iterable[tuple[Configuration, Mapping[str, Any]]]) -> None:
        """Learn from earlier studies' trials, before the first suggestion; none of them counts as measured."""
        for configuration, report in observations:
            if self._task.space.contains(configuration):
                self._history.inform(observe(self._canonical(configuration), report, self._task.maximize))
                self._informed += 1

    def replay(self, finished: Sequence[tuple[int, Configuration, Mapping[str, Any]]]) -> None:
        """Continue a study: number, configuration and report of the trials that it has finished, in that order.

        The next suggestion is the one that an uninterrupted search would have made, if `inform` came before as it did.
        """
        end = 1 + max((number for number, _, _ in finished), default=-1)
        self._lost = end - len(finished)
        unfinished_batch = self._start_of_batch(end)
        for number, configuration, report in finished:
            if number == unfinished_batch:
                self._given = number
                self._fill()
            self._queue = [other for other in self._queue if identity(other) != identity(configuration)]
            self._learn(configuration, report)
        self._given = end

    def save(self, checkpoint_path: str) -> None:
        """Write the whole state to a file."""
        state = {name: value for name, value in self.__dict__.items() if name not in ("_task", "_algorithm")}
        Path(checkpoint_path).write_bytes(cloudpickle.dumps(state))

    def restore(self, checkpoint_path: str) -> None:
        """Continue from a file that `save` wrote, with the trials that were out then."""
        self.__dict__.update(cloudpickle.loads(Path(checkpoint_path).read_bytes()))

    def _learn(self, configuration: Configuration, report: Mapping[str, Any]) -> None:
        self._deployed = configuration
        seen = observe(self._canonical(configuration), report, self._task.maximize)
        if self._task.space.contains(configuration):
            self._history.finish(seen)
        races = len(self._task.maximize) == 1
        if races and seen.loss < (self._rival[0] if self._rival else LEAST_VIOLATED):
            half_width, *_ = report.get("half_widths") or (math.nan,)
            self._rival = seen.loss, report["value"], half_width

    def _is_flat(self) -> bool:
        """Whether nothing better is to be expected."""
        least = self._task.least_gain
        if least is None or self._queue:
            return False
        rng = np.random.default_rng([self._task.seed, self._given])
        expected = improvement_left(self._history, self._task, rng)
        if expected < least:
            self.ending = (
                f"{expected:.1%} is all that is expected to be gained, and {least:.1%} was the least to go on for"
            )
        return expected < least

    def _next(self) -> Configuration | None:
        """What to measure now; None when there is nothing."""
        if self._given == BASELINE:
            if self._task.space.contains(self._task.baseline):
                self._history.start(self._canonical(self._task.baseline))
            return self._task.baseline
        if not self._queue:
            self._fill()
        in_place = self._task.in_place
        reachable = (one for one in self._queue if in_place and in_place(self._deployed, one))
        chosen = next(itertools.chain(reachable, self._queue), None)
        self._queue = [other for other in self._queue if other is not chosen]
        return chosen

    def _fill(self) -> None:
        """Choose what the rest of this batch of trials measures."""
        end = min(self._start_of_batch(self._given) + self._batch, self._task.trials + self._lost + 1)
        for number in range(self._given, end):
            configuration = self._choose(np.random.default_rng([self._task.seed, number]))
            if configuration is not None:
                self._history.start(configuration)
                self._queue.append(configuration)

    def _start_of_batch(self, number: int) -> int:
        return number - (number - 1) % self._batch  # the baseline is in none

    def _choose(self, rng: np.random.Generator) -> Configuration | None:
        drawn = (self._task.space.sample(rng) for _ in range(MOST_DRAWS))
        proposals = itertools.chain(self._algorithm.proposals(self._history, rng), drawn)
        return next(filter(self._is_worth_measuring, map(self._stand_in, proposals)), None)

    def _stand_in(self, proposal: Configuration) -> Configuration:
        """What is measured in place of a proposal; another one of the same effect is counted as pruned."""
        configuration = self._canonical(proposal)
        if (key := identity(proposal)) != identity(configuration):
            self._pruned[hash(key)] = DUPLICATE
        return configuration

    def _canonical(self, configuration: Configuration) -> Configuration:
        canonical = self._task.canonical
        return canonical(configuration) if canonical and self._task.space.contains(configuration) else configuration

    def _is_worth_measuring(self, configuration: Configuration) -> bool:
        key = identity(configuration)
        if key in self._history:
            size = self._task.space.size()
            return size is not None and len(self._history) + len(self._pruned) >= size  # there is nothing new
        if self._task.prune and hash(key) not in self._pruned and (reason := self._task.prune(configuration)):
            self._pruned[hash(key)] = reason
        return hash(key) not in self._pruned
