"""The replications of a study as a table, candidates by blocks, and how their figures compare."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from orchestrator.confirmation.room import is_shown, kept_always
from orchestrator.measure.blocks import Blocks
from orchestrator.measure.compare import Comparison
from orchestrator.result import Score, Status, StudyResult, TrialResult

FEWEST = 2
"""Replications of a candidate that is compared: a single one does not show how large chance is."""

Figure = Callable[[TrialResult], float]


def objective(run: TrialResult) -> float:
    """The objective's figure; NaN where there is none, as for the others."""
    return run.score.value if run.score else math.nan


def throughput(run: TrialResult) -> float:
    """Items/s: the ratio of two is that of requests/s, unless one configuration has more items in a request."""
    return run.measurement.items_rate if run.measurement else math.nan


def p99(run: TrialResult) -> float:
    """Of the response time, in ms."""
    return run.measurement.latency_p99_ms if run.measurement else math.nan


@dataclass(frozen=True)
class Runs:
    """The replications by the trial that they confirm and by the block that they belong to."""

    numbers: tuple[int, ...]  # of trials, in the order in which they were first measured again
    blocks: int
    complete: dict[int, dict[int, TrialResult]]
    lost: dict[int, dict[int, TrialResult]]  # the last attempt that came to nothing

    @classmethod
    def of(cls, study: StudyResult) -> Runs:
        """Those of a study that has some."""
        numbers = tuple(dict.fromkeys(run.confirms for run in study.replications if run.confirms is not None))
        complete: dict[int, dict[int, TrialResult]] = {number: {} for number in numbers}
        lost: dict[int, dict[int, TrialResult]] = {number: {} for number in numbers}
        for run in study.replications:
            kind = complete if run.status is Status.COMPLETE else lost
            kind[run.confirms][run.replication] = run  # type: ignore[index]  # a replication has both
        return cls(numbers, 1 + max(run.replication or 0 for run in study.replications), complete, lost)

    def figures(self, number: int, figure: Figure) -> NDArray[np.float64]:
        """(blocks,): NaN where it was not measured, or has no logarithm."""
        found = np.full(self.blocks, math.nan)
        for block, run in self.complete[number].items():
            value = figure(run)
            found[block] = value if 0 < value < math.inf else math.nan
        return found

    @cached_property
    def scores(self) -> dict[int, list[Score]]:
        """Of the replications that are complete, by trial."""
        return {number: [run.score for run in self.complete[number].values() if run.score] for number in self.numbers}

    def kept(self, number: int) -> int:
        """How often the figures kept the SLO."""
        return sum(score.feasible for score in self.scores[number])

    def kept_always(self, number: int) -> bool:
        """Whether they did every time."""
        return kept_always(self.scores[number])

    def shown(self, number: int) -> bool:
        """Whether the SLO is shown to be kept."""
        return is_shown(self.scores, number)


@dataclass(frozen=True)
class Fitted:
    """One figure of the trials that can be compared by it."""

    numbers: Sequence[int]
    blocks: Blocks

    @classmethod
    def of(cls, runs: Runs, figure: Figure) -> Fitted:
        """Of no trials where there are no two to compare, or no telling how sure that is."""
        every = {number: runs.figures(number, figure) for number in runs.numbers}
        numbers = [number for number, figures in every.items() if np.count_nonzero(np.isfinite(figures)) >= FEWEST]
        blocks = Blocks.fit(np.array([every[number] for number in numbers])) if len(numbers) > 1 else None
        return cls((), Blocks.of_nothing()) if blocks is None else cls(numbers, blocks)

    def level(self, number: int) -> float:
        """The logarithm of the figure, to be compared with that of others."""
        return float(self.blocks.levels[self.numbers.index(number)])

    def ratio(self, one: int, other: int, confidence: float) -> Comparison:
        """The figure of trial `one` over that of trial `other`."""
        return self.blocks.ratio(self.numbers.index(one), self.numbers.index(other), confidence)
