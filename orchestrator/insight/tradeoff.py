"""One figure against another: which trials are worth choosing from when both matter."""

from __future__ import annotations

import math
from dataclasses import dataclass

from orchestrator.insight.reading import Reading, read
from orchestrator.pareto import pareto_front
from orchestrator.result import Objective, Status, StudyResult, TrialResult

P99 = Objective("latency_p99_ms", maximize=False)
THROUGHPUT = Objective("throughput_rps", maximize=True)


@dataclass(frozen=True)
class Point:
    """A trial by its two figures; `on_front` if no other one is better in one of them and worse in none."""

    trial: TrialResult
    x: Reading
    y: Reading
    on_front: bool


@dataclass(frozen=True)
class Tradeoff:
    """The COMPLETE trials that have both figures, in order of their numbers."""

    x: Objective
    y: Objective
    points: tuple[Point, ...]

    @property
    def front(self) -> tuple[Point, ...]:
        """The points to choose from, by their x."""
        return tuple(sorted((point for point in self.points if point.on_front), key=lambda point: point.x.value))


def tradeoff(study: StudyResult, x: Objective = P99, y: Objective | None = None) -> Tradeoff:
    """The objective (throughput, where that is a latency itself) against `x`, over all COMPLETE trials."""
    if y is None:
        y = THROUGHPUT if study.objective.startswith("latency_") else study.objectives[0]
    complete = [trial for trial in study.trials if trial.status is Status.COMPLETE]
    pairs = [(trial, read(study, trial, x.metric), read(study, trial, y.metric)) for trial in complete]
    pairs = [pair for pair in pairs if math.isfinite(pair[1].value) and math.isfinite(pair[2].value)]
    front = set(pareto_front([(one.value, other.value) for _, one, other in pairs], (x.maximize, y.maximize)))
    return Tradeoff(x, y, tuple(Point(*pair, on_front=index in front) for index, pair in enumerate(pairs)))
