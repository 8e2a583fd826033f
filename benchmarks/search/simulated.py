"""A study without a cluster: trials that are answered at once, and the time that everything around them takes."""

from __future__ import annotations

import itertools
import time
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from benchmarks.search.synthetic import BATCH, ONGOING, REPLICAS, WAIT_S, Synthetic
from orchestrator.assignment import Assignment
from orchestrator.backend.port import Listener, Suggestions, report
from orchestrator.experiment import Experiment
from orchestrator.knob import LogUniform, RandInt
from orchestrator.measure.measurement import FIGURES, Measurement
from orchestrator.result import Configuration, Score, Status, TrialResult
from orchestrator.space import Space

DETAILS = 30
"""Figures beside the measurement that a trial usually has."""


@dataclass
class Costs:
    """Seconds of each trial: the algorithm's, the tracker's, and everything together."""

    search: list[float] = field(default_factory=list)
    tracker: list[float] = field(default_factory=list)
    all: list[float] = field(default_factory=list)


def endless(like: Synthetic) -> Experiment:
    """The experiment with so many configurations that none comes twice."""
    knobs: dict[str, Any] = {
        BATCH: RandInt(low=1, high=64),
        WAIT_S: LogUniform(low=0.0001, high=0.02),
        REPLICAS: RandInt(low=1, high=2),
        ONGOING: RandInt(low=8, high=128),
    }
    return like.experiment.model_copy(update={"space": Space(knobs=knobs)})


class SimulatedBackend:
    """Answers every trial at once, and takes the time of everything around it."""

    def __init__(self, like: Synthetic, costs: Costs, deadline: float) -> None:
        self._like = like
        self._costs = costs
        self._deadline = deadline
        self._luck = np.random.default_rng(0)

    def run(self, experiment: Experiment, searcher: Suggestions, listener: Listener) -> None:
        """See `orchestrator.backend.port.Backend.run`."""
        for trial_id in map(str, itertools.count()):
            began = time.perf_counter()
            suggestion: Any = searcher.suggest(trial_id)
            if not isinstance(suggestion, dict) or began > self._deadline:
                return
            suggested = time.perf_counter()
            assignment = Assignment.of(suggestion, experiment.objective.maximize)
            result = self._result(assignment)
            simulated = time.perf_counter()
            listener.trial_started(assignment.number, assignment.configuration, assignment.confirms)
            told = time.perf_counter()
            searcher.on_trial_complete(trial_id, report(result))
            learned = time.perf_counter()
            listener.trial_finished(result)
            ended = time.perf_counter()
            self._costs.search.append(suggested - began + learned - told)
            self._costs.all.append(ended - began - (simulated - suggested))

    def _result(self, assignment: Assignment) -> TrialResult:
        record = self._like.measured(assignment.configuration, 0.05, self._luck)
        figures = {f"{figure}{end}": 1.0 for figure in FIGURES for end in ("", "_lo", "_hi")} | record.figures
        return TrialResult(
            assignment.number,
            assignment.configuration,
            Status.COMPLETE,
            measurement=Measurement.from_metrics({**figures, "duration_s": 5.0}),
            score=Score(figures["throughput_rps"], 0.0),
            details={f"detail_{place}": 1.0 for place in range(DETAILS)},
            batches={1: 10.0, 2: 5.0, 4: 2.0},
            explanation="the model takes most of the time",
            confirms=assignment.confirms,
            replication=assignment.replication,
            wall_s=6.0,
            overhead_s=0.6,
            serve_config={"applications": [self._like.experiment.app]},
            export_config={"applications": [self._like.experiment.app]},
        )


class TimedTracker:
    """Another tracker, whose time per trial is noted."""

    def __init__(self, tracker: Any, costs: Costs) -> None:
        self._tracker = tracker
        self._costs = costs

    def __getattr__(self, name: str) -> Any:
        return getattr(self._tracker, name)

    def start_trial(self, number: int, configuration: Configuration, confirms: int | None = None) -> None:
        began = time.perf_counter()
        self._tracker.start_trial(number, configuration, confirms)
        self._costs.tracker.append(time.perf_counter() - began)

    def finish_trial(self, result: TrialResult) -> None:
        began = time.perf_counter()
        self._tracker.finish_trial(result)
        self._costs.tracker[-1] += time.perf_counter() - began
