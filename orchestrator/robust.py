"""One configuration for several workloads: how often each is among the best, and what it costs not to have the best.

The regret of a configuration under a workload is by what share its figure is worse than the best one there: 0.02 is 2 %
slower, for times as for rates. Of several workloads the mean regret (the accumulated one, divided by their number) says
how good a compromise a configuration is, the worst one what it may cost at most.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)

TOP = 3
"""A configuration counts for a workload when it is one of the best three there."""


@dataclass(frozen=True)
class Standing(Generic[Key]):
    """A configuration over all workloads; regrets are shares, infinite where it breaks the SLO or was not measured."""

    configuration: Key
    regrets: Mapping[str, float]
    top: int

    @property
    def mean_regret(self) -> float:
        """Over the workloads."""
        return sum(self.regrets.values()) / len(self.regrets)

    @property
    def worst_regret(self) -> float:
        """Under the workload that it suits least."""
        return max(self.regrets.values())


def standings(figures: Mapping[str, Mapping[Key, float | None]], maximize: bool, top: int = TOP) -> list[Standing[Key]]:
    """All configurations, that with the least mean regret first; of equals the more often best, then the first named.

    `figures` are those of the objective by workload and configuration; None, or nothing, where a configuration breaks
    the SLO there or was not measured. Empty where there is no workload, or none keeps the SLO under one of them.
    """
    known = {
        workload: {key: value for key, value in of_it.items() if value is not None and not math.isnan(value)}
        for workload, of_it in figures.items()
    }
    if not known or not all(known.values()):
        return []
    ranked = {w: sorted(of_it, key=of_it.__getitem__, reverse=maximize) for w, of_it in known.items()}
    configurations = dict.fromkeys(key for of_it in figures.values() for key in of_it)
    found = [
        Standing(
            key,
            {w: _regret(of_it.get(key), of_it[ranked[w][0]]) for w, of_it in known.items()},
            sum(key in best[:top] for best in ranked.values()),
        )
        for key in configurations
    ]
    return sorted(found, key=lambda one: (one.mean_regret, -one.top))


def compromise(found: Sequence[Standing[Key]]) -> Standing[Key] | None:
    """The first of them if it was measured, and kept the SLO, everywhere; None where none did."""
    first = next(iter(found), None)
    return first if first is not None and math.isfinite(first.mean_regret) else None


def by_top(found: Sequence[Standing[Key]]) -> list[Standing[Key]]:
    """Those that are among the best under any workload, the most often first."""
    return sorted((one for one in found if one.top), key=lambda one: (-one.top, one.mean_regret))


def _regret(figure: float | None, best: float) -> float:
    if figure is None:
        return math.inf
    return abs(figure - best) / abs(best) if best else math.inf if figure else 0.0
