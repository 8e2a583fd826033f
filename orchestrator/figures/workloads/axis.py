"""Where workloads stand on an axis: at a number of their load where they are a row of such, else side by side."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

NEAREST = 0.02
"""Share of an axis. Where two workloads would be closer on an even one, they could not be told apart: logarithmic."""

MARGIN = 0.05
"""Beside the first and the last workload, as a share of what is between them."""


class Axis(NamedTuple):
    """Its title, and the number of each workload; without numbers their names are the places."""

    title: str = "workload"
    numbers: Mapping[str, float] = {}

    def places(self, workloads: Sequence[str]) -> list[float | str]:
        """Of these workloads, as plotly takes them."""
        return [self.numbers.get(workload, workload) for workload in workloads]

    @property
    def mode(self) -> str:
        """Of traces over it: a line joins what is a row, and nothing that is not."""
        return "lines+markers" if self.numbers else "markers"

    @property
    def scatter_mode(self) -> str:
        """Of a figure over it: where places are names, what stands at one of them is moved apart."""
        return "overlay" if self.numbers else "group"

    @property
    def look(self) -> dict[str, Any]:
        """As plotly takes it: a label for each workload at its place, measured or not."""
        if not self.numbers:
            return {"title": self.title, "type": "category"}
        numbers = sorted(self.numbers.values())
        gaps = [after - before for before, after in pairwise(numbers)]
        even = not gaps or numbers[0] <= 0 or min(gaps) >= NEAREST * (numbers[-1] - numbers[0])
        low, high = (numbers[0], numbers[-1]) if even else (math.log10(numbers[0]), math.log10(numbers[-1]))
        room = MARGIN * (high - low or 1)
        ticks = {"tickvals": numbers, "ticktext": [f"{number:g}" for number in numbers]}
        return {"title": self.title, "type": "linear" if even else "log", "range": [low - room, high + room], **ticks}
