"""Which of several points are worth choosing from, when more than one figure matters. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence


def pareto_front(points: Sequence[Sequence[float]], maximize: Sequence[bool]) -> list[int]:
    """Indices, in order, of the points (points, figures) that no other point dominates.

    A point dominates another if it is better in one figure at least and worse in none; `maximize` says for each figure
    whether more of it is better. Equal points do not dominate each other. A point with a NaN is on no front.
    ValueError for a point with another number of figures.

    In the order of their figures no point is dominated by a later one, so that each is compared with the front so far
    alone (H. T. Kung, F. Luccio and F. P. Preparata, On finding the maxima of a set of vectors, JACM 22, 1975).
    """
    losses = [
        tuple(-figure if more else figure for figure, more in zip(point, maximize, strict=True)) for point in points
    ]
    known = [index for index, loss in enumerate(losses) if not any(map(math.isnan, loss))]
    front: list[int] = []
    for index in sorted(known, key=losses.__getitem__):
        if not any(_dominates(losses[other], losses[index]) for other in front):
            front.append(index)
    return sorted(front)


def _dominates(one: Sequence[float], other: Sequence[float]) -> bool:
    return one != other and all(mine <= theirs for mine, theirs in zip(one, other, strict=True))
