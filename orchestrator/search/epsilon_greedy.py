"""Epsilon-greedy search: mostly near the best configuration so far, now and then anywhere."""

from __future__ import annotations

from orchestrator.knob import Listed
from orchestrator.result import Configuration
from orchestrator.search.frame import PATIENCE, StudySearcher
from orchestrator.search.loss import NOT_MEASURED
from orchestrator.space import Coordinate, Space

STEP = 0.1
"""Standard deviation of a step away from the best, as a share of a knob's range (on its own scale)."""


class EpsilonGreedySearcher(StudySearcher):
    """With the probability `epsilon` a random configuration, otherwise a neighbour of the best one so far.

    A neighbour has one knob changed at least, and each of the others with a chance of one in all knobs: numbers by a
    normal step, which is reflected at the ends of the range, categories to any value.
    """

    def __init__(
        self,
        space: Space,
        seed: int,
        trials: int,
        baseline: Configuration,
        maximize: bool,
        parallel: int,
        epsilon: float = 0.3,
    ) -> None:
        super().__init__(space, seed, trials, baseline, maximize, parallel)
        self._epsilon = epsilon
        self._best: Configuration | None = None
        self._least = NOT_MEASURED  # loss of the best

    def _propose(self, trial_id: str) -> Configuration:
        if self._best is not None and self._rng.random() >= self._epsilon:
            for _ in range(PATIENCE):
                configuration = self._near(self._best)
                if self._is_worth_measuring(configuration):
                    return configuration
        return super()._propose(trial_id)

    def _learn(self, trial_id: str, configuration: Configuration, measured: float) -> None:  # noqa: ARG002
        if measured < self._least:
            self._best, self._least = configuration, measured

    def _near(self, best: Configuration) -> Configuration:
        active = {coordinate.label: coordinate for coordinate in self._space.active(best)}
        chosen = self._rng.integers(len(active))
        moved = {label for place, label in enumerate(active) if place == chosen or self._rng.random() < 1 / len(active)}

        def unit(label: str) -> float:
            if label not in active:  # a knob of a branch that the best is not in
                return float(self._rng.random())
            here = active[label].knob.encode(best[active[label].path])
            return self._step(active[label], here) if label in moved else here

        return self._space.configure(unit)

    def _step(self, coordinate: Coordinate, here: float) -> float:
        knob = coordinate.knob
        if isinstance(knob, Listed) and not knob.ordinal:
            return float(self._rng.random())
        width = STEP if knob.size is None else max(STEP, 1 / knob.size)  # or a step would seldom leave the value
        there = here + float(self._rng.normal(0, width))
        return min(max(abs(there) if there < 1 else 2 - there, 0.0), 1.0)
