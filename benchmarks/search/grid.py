"""All points of a grid over a space without conditions."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from orchestrator.result import Configuration
from orchestrator.space import Space


def grid(space: Space, levels: int | None = None) -> Iterator[Configuration]:
    """Every value of lists and of whole numbers, `levels` of other ranges, the ends among them; the last knob fastest.

    ValueError for a range without an end of values where no levels are given.
    """
    values = []
    for path, knob in space.knobs.items():
        if knob.size is not None:
            units = [(place + 0.5) / knob.size for place in range(knob.size)]
        elif levels is not None:
            units = [place / (levels - 1) for place in range(levels)]
        else:
            raise ValueError(f"{path} has no end of values: a grid needs a choice of them")
        values.append([knob.decode(unit) for unit in units])
    for point in itertools.product(*values):
        yield dict(zip(space.knobs, point, strict=True))
