"""What all algorithms have in common, towards Ray Tune and towards a space; on its own it is random search."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from ray import cloudpickle
from ray.tune.search import Searcher

from orchestrator.plain import identity
from orchestrator.result import Configuration, Status
from orchestrator.search.loss import loss
from orchestrator.space import Space

PATIENCE = 8
"""How often in a row an algorithm may propose what is known, before a random new configuration takes its turn."""


class StudySearcher(Searcher):
    """Random search as a Ray Tune searcher, and the frame of the algorithms that learn.

    The baseline comes first, and need not lie in the space; then the algorithm suggests `trials` times, and
    nothing twice while the space has something new.

    A suggestion is {"number": int, "configuration": {path: value}}, number 0 being the baseline;
    a result is {"status": str, "value": float | None, "violation": float | None}.
    """

    def __init__(
        self, space: Space, seed: int, trials: int, baseline: Configuration, maximize: bool, parallel: int
    ) -> None:
        super().__init__()
        self._space = space
        self._rng = np.random.default_rng(seed)
        self._trials = trials
        self._baseline = copy.deepcopy(dict(baseline))
        self._maximize = maximize
        self._parallel = parallel
        self._given = 0
        self._out: dict[str, Configuration] = {}
        self._losses: dict[str, float | None] = {}  # by identity; None while its first trial is out

    def suggest(self, trial_id: str) -> dict[str, Any] | str | None:
        """The next configuration; None while `parallel` trials are out, FINISHED after the last one."""
        if self._given > self._trials:
            return Searcher.FINISHED
        if len(self._out) >= self._parallel:
            return None  # Tune asks ahead; an answer now would know nothing of the trials that are out
        number = self._given
        configuration = self._propose(trial_id) if number else self._baseline
        if self._space.contains(configuration):
            self._losses.setdefault(identity(configuration), None)
        self._given += 1
        self._out[trial_id] = configuration
        return {"number": number, "configuration": copy.deepcopy(configuration)}

    def on_trial_result(self, trial_id: str, result: Mapping[str, Any]) -> None:
        """Nothing: a trial reports once, at its end."""

    def on_trial_complete(self, trial_id: str, result: Mapping[str, Any] | None = None, error: bool = False) -> None:
        """Learn from a trial that ended, however it ended; a trial that is not out is ignored."""
        if trial_id not in self._out:
            return
        configuration = self._out.pop(trial_id)
        report = result if result and not error else {}
        status = Status(report.get("status", Status.FAILED))
        if self._space.contains(configuration):
            measured = loss(status, report.get("value"), report.get("violation"), self._maximize)
            self._losses[identity(configuration)] = measured
            self._learn(trial_id, configuration, measured)

    def save(self, checkpoint_path: str) -> None:
        """Write the whole state to a file."""
        Path(checkpoint_path).write_bytes(cloudpickle.dumps(self.__dict__))

    def restore(self, checkpoint_path: str) -> None:
        """Continue from a file that `save` wrote, with the trials that were out then."""
        self.__dict__.update(cloudpickle.loads(Path(checkpoint_path).read_bytes()))

    def _propose(self, trial_id: str) -> Configuration:  # noqa: ARG002 - for algorithms that remember it
        """A random configuration that is new; this ends, because every configuration has its chance."""
        while True:
            configuration = self._space.sample(self._rng)
            if self._is_worth_measuring(configuration):
                return configuration

    def _learn(self, trial_id: str, configuration: Configuration, measured: float) -> None:
        """Nothing, in random search; `measured` is the loss of a configuration within the space."""

    def _is_worth_measuring(self, configuration: Configuration) -> bool:
        size = self._space.size()
        exhausted = size is not None and len(self._losses) >= size
        return exhausted or identity(configuration) not in self._losses
