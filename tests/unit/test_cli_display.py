"""The line that a finished trial leaves."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from orchestrator.cli.display import StudyDisplay
from orchestrator.experiment import load_experiment
from orchestrator.measure.interval import Interval
from orchestrator.result import Score, Status, TrialResult
from tests.fakes.trials import observation, samples

DIGITS = Path(__file__).parents[2] / "search_spaces" / "digits.yaml"
MEASURED = replace(
    observation(samples(100, 3.0), (1.0, 3.0)).measurement,
    throughput_rps=1956.0,
    latency_p99_ms=45.4,
    intervals={"throughput_rps": Interval(1604, 2308), "latency_p99_ms": Interval(10, 116)},
)


def trial(status=Status.COMPLETE, violation=0.0, shown=True, reasons=()):
    configuration = {"Classifier.user_config.max_batch_size": 32}
    score = Score(1956.0, violation, shown)
    return TrialResult(7, configuration, status, reasons, measurement=MEASURED, score=score)


@pytest.mark.parametrize(
    ("result", "leads", "expected"),
    [
        pytest.param(trial(), True, "COMPLETE 1,956 req/s ±18%, p99 45.4 ms ±117% best so far max_batch", id="best"),
        pytest.param(trial(), False, "p99 45.4 ms ±117% max_batch_size=32", id="within the SLO"),
        pytest.param(trial(violation=0.2), False, "±117% over SLO max_batch_size=32", id="over the SLO"),
        pytest.param(trial(shown=False), False, "±117% undecided max_batch_size=32", id="not shown"),
        pytest.param(
            trial(Status.INVALID, reasons=("the client was late", "too few samples")),
            False,
            "7/14 INVALID max_batch_size=32 the client was late too few samples",
            id="invalid, with all reasons and no figures",
        ),
        pytest.param(
            trial(reasons=("measured again",)), True, "best so far max_batch_size=32 measured again", id="again"
        ),
    ],
)
@pytest.mark.parametrize("width", [80, 140])
def test_a_trial_says_how_it_ended_and_what_it_measured(result, leads, expected, width):
    console = Console(width=width, record=True, file=io.StringIO())
    display = StudyDisplay(console, load_experiment(DIGITS).with_overrides(trials=14))
    display.trial_started(7, result.configuration)
    display.trial_finished(result, result if leads else None)
    assert expected in " ".join(console.export_text().split())
