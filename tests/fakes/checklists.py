"""Checklists gone through in memory: an application that takes what a test says, measured without Ray."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from orchestrator.checklist import Rounds
from orchestrator.experiment import Experiment, read_experiment
from orchestrator.measure.interval import Interval
from orchestrator.result import BASELINE, Score, Status, StudyResult, TrialResult
from tests.fakes.studies import MEASURED

TEXT = """
name: digits
app:
  import_path: serve_apps.classifier:build
  args: {model: digits}
  deployments:
    - name: Classifier
      num_replicas: 1
      max_ongoing_requests: 256
      user_config: {max_batch_size: 1, batch_wait_timeout_s: 0.0}
workload: {payloads: "serve_apps.payloads:digits"}
load: {closed_loop: {concurrency: 32}}
slo: {p99_ms: 100}
objective: {maximize: throughput_rps}
space:
  Classifier.user_config.max_batch_size: {choice: [1, 2, 4, 8, 16, 32, 64]}
"""


def experiment(text: str = TEXT, file: Path = Path("/somewhere/digits.yaml"), **replaced: str) -> Experiment:
    """The file above, with sections replaced: `experiment(load="{open_loop: {rate_rps: 5}}")`."""
    for key, value in replaced.items():
        text = re.sub(rf"^{key}:.*\n(?:[ ].*\n)*", "", text, flags=re.MULTILINE) + f"{key}: {value}\n"
    return read_experiment(text, file)


class Measured:
    """Goes through rounds in which each number has a figure, or a status with a reason in place of one.

    Figures are a throughput, of which each round has its share `drift` more than the one before it.
    """

    def __init__(
        self, came: Mapping[int, Any], drift: float = 0.01, details: Mapping[str, float] | None = None
    ) -> None:
        self.came = came
        self.drift = drift
        self.details = details or {}
        self.turns: list[tuple[int, int]] = []

    def study(self, rounds: Rounds, most: int = 1000) -> StudyResult:
        trials, replications = [], []
        number = len(rounds.configurations)
        while (turn := rounds.next) is not None and len(self.turns) < most:
            self.turns.append(tuple(turn))
            again = {"confirms": turn.number, "replication": turn.round_ - 1} if turn.round_ else {}
            own, number = (number, number + 1) if again else (turn.number, number)
            result = self._result(own, turn, rounds.configurations[turn.number], again)
            (replications if again else trials).append(result)
            rounds.tell(turn, result.status, result.score, "; ".join(result.reasons))
        return StudyResult(
            study_id="1f3e",
            name="digits.checklist",
            algorithm="checklist",
            seed=0,
            maximize=True,
            objective="throughput_rps",
            trials=tuple(trials),
            replications=tuple(replications),
        )

    def _result(self, number: int, turn: Any, changes: Mapping[str, Any], again: Mapping[str, int]) -> TrialResult:
        came = self.came.get(turn.number, 100.0)
        if isinstance(came, tuple) and isinstance(came[0], Status):
            return TrialResult(number, changes, came[0], (came[1],), **again)
        value, violation = came if isinstance(came, tuple) else (came, 0.0)
        # what is not the same twice, and not alike for all
        wobble = 1 + 0.004 * ((turn.number * 7 + turn.round_ * 3) % 5 - 2)
        value = value * wobble * (1 + self.drift * turn.round_)
        intervals = {"throughput_rps": Interval(value * 0.98, value * 1.02)}
        measurement = replace(MEASURED, throughput_rps=value, intervals=intervals)
        details = self.details if turn.number == BASELINE else {}
        score = Score(value, violation, half_widths=(value * 0.02,))
        return TrialResult(
            number, changes, Status.COMPLETE, measurement=measurement, score=score, details=details, **again
        )
