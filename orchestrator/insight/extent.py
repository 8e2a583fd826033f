"""How far a knob reaches among some trials, in words that claim no more than was measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from orchestrator.insight.table import Column
from orchestrator.knob import Listed
from orchestrator.names import listing, value_text
from orchestrator.plain import identity

NEAR = 0.05
"""Of a knob's range, on its own scale: a trial this close to the end stands for the end. Real numbers hardly hit it."""


@dataclass(frozen=True)
class Extent:
    """The values of a knob that some trials had: each once, ordered where the knob's values have an order."""

    column: Column
    values: tuple[Any, ...]

    @property
    def free(self) -> bool:
        """Whether they reach from one end of the knob to the other; without an order, whether they are all there."""
        knob = self.column.knob
        if isinstance(knob, Listed) and not knob.ordinal:
            return len(self.values) == len(knob.listed())
        return self._near(0) and self._near(-1)

    @property
    def measured(self) -> str:
        """`max_batch_size 16 … 64`."""
        name, (first, *_, last) = self.column.name, (*self.values, self.values[-1])
        if not self.column.knob.ordinal:
            return f"{name} {listing([value_text(value) for value in self.values])}"
        return f"{name} {value_text(first)}" + (f" … {value_text(last)}" if len(self.values) > 1 else "")

    def __str__(self) -> str:
        """`max_batch_size ≥ 16`: the values that are meant; open to where they reach the end of the knob's range."""
        name, values = self.column.name, [value_text(value) for value in self.values]
        if len(values) == 1 or not self.column.knob.ordinal:
            return f"{name} = {listing(values, 'or')}"
        if self._near(-1) and not self._near(0):
            return f"{name} ≥ {values[0]}"
        if self._near(0) and not self._near(-1):
            return f"{name} ≤ {values[-1]}"
        return f"{name} from {values[0]} to {values[-1]}"

    def _near(self, end: int) -> bool:
        """Whether the lowest (0) or the highest (-1) value is that of the knob, or nearly."""
        knob = self.column.knob
        limits = sorted(knob.listed()) if isinstance(knob, Listed) else (knob.low, knob.high)
        return abs(knob.encode(self.values[end]) - knob.encode(limits[end])) <= NEAR


def extent_of(column: Column, values: Sequence[Any]) -> Extent:
    """The extent of some values, at least one, of a knob."""
    distinct = list({identity(value): value for value in values}.values())
    return Extent(column, tuple(sorted(distinct)) if column.knob.ordinal else tuple(distinct))
