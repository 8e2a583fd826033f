"""Epsilon-greedy search: mostly near the best configuration so far, now and then anywhere."""

from __future__ import annotations

from collections.abc import Iterator

from numpy.random import Generator

from orchestrator.knob import Listed
from orchestrator.result import Configuration
from orchestrator.search.algorithm import PATIENCE, Task
from orchestrator.search.history import History
from orchestrator.space import Coordinate, Space

STEP = 0.1
"""Standard deviation of a step away from the best, as a share of a knob's range (on its own scale)."""


class EpsilonGreedy:
    """With the probability `epsilon` a random configuration, otherwise a neighbour of the best one so far.

    A neighbour has one knob changed at least, and each of the others with a chance of one in all knobs: numbers by a
    normal step, which is reflected at the ends of the range, categories to any value.
    """

    batch = 1
    random = 0  # not at first, but now and then

    def __init__(self, task: Task, epsilon: float = 0.3) -> None:
        self._space = task.space
        self._epsilon = epsilon

    def proposals(self, history: History, rng: Generator) -> Iterator[Configuration]:
        """The best of earlier studies at first; then neighbours of the best, or none at all."""
        yield from history.recommended()
        best = history.best()
        if best is not None and rng.random() >= self._epsilon:
            for _ in range(PATIENCE):
                yield neighbour(self._space, best.configuration, rng)


def neighbour(space: Space, best: Configuration, rng: Generator) -> Configuration:
    """A configuration near `best`."""
    active = {coordinate.label: coordinate for coordinate in space.active(best)}
    chosen = rng.integers(len(active))
    moved = {label for place, label in enumerate(active) if place == chosen or rng.random() < 1 / len(active)}

    def unit(label: str) -> float:
        if label not in active:  # a knob of a branch that the best is not in
            return float(rng.random())
        here = active[label].knob.encode(best[active[label].path])
        return _step(active[label], here, rng) if label in moved else here

    return space.configure(unit)


def _step(coordinate: Coordinate, here: float, rng: Generator) -> float:
    knob = coordinate.knob
    if isinstance(knob, Listed) and not knob.ordinal:
        return float(rng.random())
    width = STEP if knob.size is None else max(STEP, 1 / knob.size)  # or a step would seldom leave the value
    there = here + float(rng.normal(0, width))
    return min(max(abs(there) if there < 1 else 2 - there, 0.0), 1.0)
