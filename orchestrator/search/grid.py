"""Grid search: the values of every knob combined with those of every other."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from orchestrator.knob import Listed
from orchestrator.plain import identity
from orchestrator.result import Configuration
from orchestrator.search.algorithm import Task
from orchestrator.search.history import History
from orchestrator.space import Condition, Knob, Space


class Grid:
    """Walks through a grid that the trials suffice for in order, the last knob changing fastest.

    A range with more than `levels` values takes part with so many, evenly spread on its scale, both ends included.
    Of a grid with more points than trials a random sample is measured, in random order, so that a study that is cut
    short has seen all of it alike. When the grid is used up, random configurations off it follow; where there are none,
    it is walked once more.

    `interleaved`: every grid is walked in random order, and evenly over the values of its first knob, so that what
    changes meanwhile does not look like a difference between these.
    """

    batch = 8
    random = 0

    def __init__(self, task: Task, levels: int = 5, interleaved: bool = False) -> None:
        self._space = task.space
        self._levels = levels
        points = grid_size(task.space, levels)
        wanted = task.trials + 1  # one may be the baseline
        rng = np.random.default_rng(task.seed)
        walks = []
        for walk in range(math.ceil(wanted / points)):
            left = wanted - walk * points
            if interleaved:
                order = _interleaved(task.space, left, levels, rng)
            else:
                order = np.arange(points) if points <= wanted else rng.choice(points, size=left, replace=False)
            walks += [(walk, place) for place in order.tolist()]
        self._left = walks[::-1]

    def proposals(self, history: History, rng: Generator) -> Iterator[Configuration]:  # noqa: ARG002
        """What is left of the grid; each point is proposed once in a walk, unless it was measured before."""
        while self._left:
            walk, place = self._left.pop()
            point = grid_point(self._space, place, self._levels)
            if history.times(identity(point)) == walk:
                yield point


def _interleaved(space: Space, wanted: int, levels: int, rng: Generator) -> NDArray[np.intp]:
    """So many places of the grid, or all: of each value of the first knob its share, in random order, evenly spread."""
    first, points = next(iter(space.knobs.values())), grid_size(space, levels)
    inside = [grid_size(branch.space, levels) for branch in first.branches] if isinstance(first, Condition) else None
    sizes = np.array(inside or [1] * _count(first, levels)) * (points // _count(first, levels))
    places, turns = [], []
    for start, size in zip(np.cumsum(sizes) - sizes, sizes, strict=True):
        count = min(size, math.ceil(size * wanted / points))
        places.append(start + rng.choice(size, size=count, replace=False))
        turns.append((np.arange(count) + rng.random(count)) / count)
    return np.concatenate(places)[np.argsort(np.concatenate(turns))][:wanted]


def grid_size(space: Space, levels: int) -> int:
    """How many points the grid of a space has."""
    product = 1
    for knob in space.knobs.values():
        product *= _count(knob, levels)
    return product


def grid_point(space: Space, index: int, levels: int) -> Configuration:
    """The configuration at place `index`, from 0 on, of the grid."""
    places: dict[str, int] = {}
    for path, knob in reversed([*space.knobs.items()]):
        index, places[path] = divmod(index, _count(knob, levels))
    configuration: dict[str, Any] = {}
    for path, knob in space.knobs.items():
        place = places[path]
        if isinstance(knob, Condition):
            branch = next(iter(knob.branches))
            for branch in knob.branches:
                if place < (size := grid_size(branch.space, levels)):
                    break
                place -= size
            configuration |= {path: branch.value, **grid_point(branch.space, place, levels)}
        else:
            configuration[path] = _values(knob, levels)[place]
    return configuration


def _count(knob: Knob, levels: int) -> int:
    if isinstance(knob, Condition):
        return sum(grid_size(branch.space, levels) for branch in knob.branches)
    return len(_values(knob, levels))


def _values(knob: Knob, levels: int) -> Sequence[Any]:
    if isinstance(knob, Listed):
        return knob.listed()
    if knob.size is not None and knob.size <= levels:
        return range(int(knob.low), int(knob.high) + 1) if knob.whole else [knob.decode(0)]
    return list(dict.fromkeys(knob.decode(level / (levels - 1)) for level in range(levels)))
