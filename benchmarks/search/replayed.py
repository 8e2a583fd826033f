"""A surface as a back end: every trial is answered by its truth and a piece of the noise that was recorded."""

from __future__ import annotations

import itertools
import math
from collections import defaultdict
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import norm

from benchmarks.search.surface import Record, Surface
from benchmarks.search.truth import Truth
from orchestrator.assignment import Assignment
from orchestrator.backend.port import Listener, Suggestions, report
from orchestrator.experiment import Experiment
from orchestrator.measure.measurement import Measurement
from orchestrator.measure.verdict import CONFIDENCE, Verdict
from orchestrator.objective import score
from orchestrator.plain import identity
from orchestrator.result import Status, TrialResult

WIDER = float(norm.ppf(CONFIDENCE) / norm.ppf(0.975))
"""How much further than the half of a 95 % interval a verdict has to be sure."""


@dataclass(frozen=True)
class Replayed:
    """What is needed to answer a trial: the truth, the usual half-widths of intervals, and what never got to figures.

    `half_widths` are shares of the figures; both mappings are by the identity of a configuration. A trial is as long as
    `windows` recorded measurements: its noise is the mean of as many pieces, its interval narrower by the square root.
    """

    truth: Truth
    half_widths: dict[str, dict[str, float]]
    broken: dict[str, Status]
    windows: int = 1

    @classmethod
    def of(cls, surface: Surface, truth: Truth, windows: int = 1) -> Replayed:
        """The replay of a surface whose truth is known."""
        by_configuration: dict[str, list[Record]] = defaultdict(list)
        for record in surface.records:
            by_configuration[identity(record.configuration)].append(record)
        return cls(
            truth,
            {
                key: {f: _half_width(by_configuration[key], f) / math.sqrt(windows) for f in truth.figures}
                for key in truth.values
            },
            {key: records[0].status for key, records in by_configuration.items() if key not in truth.values},
            windows,
        )

    def trial(self, assignment: Assignment, experiment: Experiment, luck: np.random.Generator) -> TrialResult:
        """A measurement of the configuration, and what the experiment's SLO and objective make of it."""
        number, configuration, key = assignment.number, assignment.configuration, identity(assignment.configuration)
        if key in self.broken:
            reasons = ("as it was recorded",)
            again = {"confirms": assignment.confirms, "replication": assignment.replication}
            return TrialResult(number, configuration, self.broken[key], reasons, **again)
        drawn = self.truth.residuals[luck.integers(len(self.truth.residuals), size=self.windows)].mean(axis=0)
        residual = dict(zip(self.truth.figures, drawn, strict=True))
        figures: dict[str, float] = {"requests": 1.0, "error_ratio": 0.0}
        for figure, true in self.truth.values[key].items():
            value, half = true * float(np.exp(residual[figure])), self.half_widths[key][figure]
            figures |= {figure: value, f"{figure}_lo": value * (1 - half), f"{figure}_hi": value * (1 + half)}
        measurement = Measurement.from_metrics(figures)
        limits = experiment.slo.latency_limits_ms()
        verdicts = {name: self._verdict(figures[name], self.half_widths[key][name], limits[name]) for name in limits}
        return TrialResult(
            number,
            configuration,
            Status.COMPLETE,
            measurement=measurement,
            score=score(measurement.metrics(), experiment.slo, experiment.objectives, verdicts),
            verdicts=verdicts,
            confirms=assignment.confirms,
            replication=assignment.replication,
        )

    @staticmethod
    def _verdict(figure: float, half_width: float, limit: float) -> Verdict:
        """What the figure's interval says, which is about what counting requests would."""
        if figure * (1 + WIDER * half_width) <= limit:
            return Verdict.PASS
        return Verdict.FAIL if figure * (1 - WIDER * half_width) > limit else Verdict.UNDECIDED


@dataclass
class ReplayBackend:
    """Runs trials one by one, in no time; equal seeds give the same luck, trial by trial."""

    replayed: Replayed
    seed: int

    def run(self, experiment: Experiment, searcher: Suggestions, listener: Listener) -> None:
        """See `orchestrator.backend.port.Backend.run`."""
        luck = np.random.default_rng(self.seed)
        for trial_id in map(str, itertools.count()):
            suggestion: Any = searcher.suggest(trial_id)
            if not isinstance(suggestion, dict):
                return
            assignment = Assignment.of(suggestion, experiment.objective.maximize)
            listener.trial_started(assignment.number, assignment.configuration, assignment.confirms)
            result = self.replayed.trial(assignment, experiment, luck)
            searcher.on_trial_complete(trial_id, report(result))
            listener.trial_finished(result)


def _half_width(records: list[Record], figure: str) -> float:
    """The mean relative half-width of the figure's interval; infinite where none was found."""
    found = [
        (one.figures[f"{figure}_hi"] - one.figures[f"{figure}_lo"]) / 2 / one.figures[figure]
        for one in records
        if f"{figure}_hi" in one.figures and one.figures.get(figure)
    ]
    return float(np.mean(found)) if found else float("inf")
