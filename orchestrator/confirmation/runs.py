"""The replications of a study as a table, candidates by blocks, and how their figures compare."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from orchestrator.measure.batches import students_t
from orchestrator.measure.blocks import Blocks
from orchestrator.measure.compare import Comparison
from orchestrator.result import Status, StudyResult, TrialResult

FEWEST = 2
"""Replications of a candidate that is compared: a single one does not show how large chance is."""

ROOM_CONFIDENCE = 0.95
"""With which the typical figure of a trial, over deployments, keeps its limit."""

Figure = Callable[[TrialResult], float]


def objective(run: TrialResult) -> float:
    """The objective's figure; NaN where there is none, as for the others."""
    return run.score.value if run.score else math.nan


def throughput(run: TrialResult) -> float:
    """Requests/s."""
    return run.measurement.throughput_rps if run.measurement else math.nan


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

    def kept(self, number: int) -> int:
        """How often the figures kept the SLO."""
        return sum(run.score is not None and run.score.feasible for run in self.complete[number].values())

    def kept_always(self, number: int) -> bool:
        """Whether they did every time: a single time without is one deployment that broke the promise."""
        return 0 < self.kept(number) == len(self.complete[number])

    def shown(self, number: int) -> bool:
        """Whether the SLO is shown to be kept: most had requests enough to be sure, and there is room for chance."""
        sure = sum(run.score is not None and run.score.shown for run in self.complete[number].values())
        return 2 * sure > len(self.complete[number]) and self._leaves_room(number)

    def _leaves_room(self, number: int) -> bool:
        """Whether the figure nearest to its limit stays below it with ROOM_CONFIDENCE.

        Chance is what the logarithms of measured / limit differ by between the replications of one trial, which is
        known from all trials together. Where nothing is limited, or nothing was repeated, there is no doubt.
        """
        distances = {one: _distances(self.complete[one].values()) for one in self.numbers}
        own, freedom = distances[number], sum(max(0, len(every) - 1) for every in distances.values())
        if not len(own) or not freedom:
            return True
        variance = (
            sum(float(((every - every.mean()) ** 2).sum()) for every in distances.values() if len(every)) / freedom
        )
        reach = students_t(freedom, 2 * ROOM_CONFIDENCE - 1) * math.sqrt(variance / len(own))
        return float(own.mean()) + reach <= 0


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


def _distances(runs: Iterable[TrialResult]) -> NDArray[np.float64]:
    """Logarithm of measured / limit, of the runs that have a limit and a figure."""
    excesses = np.array([run.score.excess for run in runs if run.score is not None], float)
    return np.log1p(np.maximum(excesses[np.isfinite(excesses)], -0.999))
