"""Trials as a table of numbers, a column for each knob: what the insights into a study are drawn from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import compress
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from orchestrator.names import short_names, value_text
from orchestrator.result import TrialResult
from orchestrator.space import Condition, Knob, Space, branch_prefix


class Column(NamedTuple):
    """A knob of a space; `label` is unique in it, and so is `name`, which is for the reader."""

    label: str
    path: str
    name: str
    knob: Knob


@dataclass(frozen=True)
class Table:
    """A row for each trial, a column for each knob that any of them has.

    `units` (trials, knobs) are the unit coordinates that searchers see too; NaN where a knob is not active.
    """

    trials: tuple[TrialResult, ...]
    columns: tuple[Column, ...]
    units: NDArray[np.float64]

    def where(self, keep: Sequence[bool] | NDArray[np.bool_]) -> Table:
        """The rows for which `keep` (trials,) is true."""
        return Table(tuple(compress(self.trials, keep)), self.columns, self.units[np.array(keep, dtype=bool)])

    def values(self, column: int) -> list[Any]:
        """What the trials set that knob to; those in which it is not active are left out."""
        path = self.columns[column].path
        rows = np.flatnonzero(~np.isnan(self.units[:, column]))
        return [self.trials[row].configuration[path] for row in rows]


def tabulate(trials: Sequence[TrialResult], space: Space) -> Table:
    """The table of those trials whose configuration lies within the space; the baseline's need not."""
    inside = tuple(trial for trial in trials if space.contains(trial.configuration))
    places = [_units(space, trial) for trial in inside]
    used = {label for place in places for label in place}
    columns = tuple(column for column in _columns(space) if column.label in used)
    units = [[place.get(column.label, np.nan) for column in columns] for place in places]
    return Table(inside, columns, np.array(units, dtype=float).reshape(len(inside), len(columns)))


def _units(space: Space, trial: TrialResult) -> dict[str, float]:
    values = trial.configuration
    return {label: knob.encode(values[path]) for label, path, knob in space.active(values)}


def _columns(space: Space) -> list[Column]:
    """Every knob in the order of the file; a path that several branches share is told apart by its branch."""
    every = list(_walk(space))
    names = short_names(space.paths())
    paths = [path for _, path, _, _ in every]
    return [
        Column(label, path, names[path] + (f" ({branch})" if paths.count(path) > 1 else ""), knob)
        for label, path, branch, knob in every
    ]


def _walk(space: Space, prefix: str = "", branch: str = "") -> Iterator[tuple[str, str, str, Knob]]:
    for path, knob in space.knobs.items():
        yield prefix + path, path, branch, knob
        if isinstance(knob, Condition):
            for index, one in enumerate(knob.branches):
                inner = f"{branch}/{value_text(one.value)}" if branch else value_text(one.value)
                yield from _walk(one.space, branch_prefix(prefix + path, index), inner)
