"""Is the SLO shown to be kept, by all that the replications say?"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from orchestrator.measure.batches import students_t
from orchestrator.measure.blocks import each_of
from orchestrator.result import Score

ROOM_CONFIDENCE = 0.99
"""With which the typical figures of all trials that are said to keep their limit, over deployments, do: the best of
several is easily the luckiest of them."""

Scores = Mapping[int, Sequence[Score]]
"""Of the replications, by the number of the trial that they confirm."""


def kept_always(scores: Sequence[Score]) -> bool:
    """Whether every replication kept the SLO: a single one without is one deployment that broke the promise."""
    return bool(scores) and all(score.feasible for score in scores)


def is_shown(scores: Scores, number: int) -> bool:
    """Whether a trial is shown to keep the SLO: the figure nearest to its limit stays below it with ROOM_CONFIDENCE.

    Chance is what the logarithms of measured / limit differ by between the replications of one trial, which is known
    from all trials together. It holds what one replication's own requests leave uncertain, so that several may show
    together what none of them does. Where distances or repetitions are missing, most replications have to say so.
    """
    distances = {one: _distances(of_it) for one, of_it in scores.items()}
    own, freedom = distances[number], sum(max(0, len(every) - 1) for every in distances.values())
    if not len(own) or not freedom:
        return 2 * sum(score.shown for score in scores[number]) > len(scores[number])
    variance = sum(float(((every - every.mean()) ** 2).sum()) for every in distances.values() if len(every)) / freedom
    each = each_of(sum(1 for every in distances.values() if len(every)), ROOM_CONFIDENCE)
    reach = students_t(freedom, 2 * each - 1) * math.sqrt(variance / len(own))
    return float(own.mean()) + reach <= 0


def _distances(scores: Iterable[Score]) -> NDArray[np.float64]:
    """Logarithm of measured / limit, of those that have a limit and a figure."""
    excesses = np.array([score.excess for score in scores], float)
    return np.log1p(np.maximum(excesses[np.isfinite(excesses)], -0.999))
