"""An offline study on the terminal: items and steps in place of requests, and nothing that only a server has."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from rich.console import Console
from typer.testing import CliRunner

from orchestrator.cli.app import app
from orchestrator.cli.check import print_check
from orchestrator.cli.display import figures
from orchestrator.cli.export import exported
from orchestrator.cli.tables import print_outcome
from orchestrator.document import trial_from_document, trial_record
from orchestrator.errors import UsageError
from orchestrator.experiment import load_experiment
from orchestrator.measure.steps import measure_steps, step_figures
from orchestrator.result import Score, Status, StudyResult, TrialResult
from tests.fakes.jobs import steps_of

PROFILE = Path(__file__).parents[2] / "search_spaces" / "profile.yaml"
JOB = {"import_path": "jobs:build", "args": {"batch_size": 8}}


def trial(number, batch, step_ms):
    steps = steps_of([step_ms, step_ms * 1.02, step_ms * 0.98] * 4, items=batch)
    measured = measure_steps(steps)
    return TrialResult(
        number,
        {"args.batch_size": batch},
        Status.COMPLETE,
        measurement=measured,
        score=Score(measured.items_per_s, 0.0),
        details={**step_figures(steps), "build_s": 1.5, "first_step_ms": 40.0, "memory_mib": 512.0},
        explanation="of a step, inference takes 96%",
        export_config=JOB,
    )


INFEASIBLE = TrialResult(2, {"args.batch_size": 64}, Status.INFEASIBLE, ("there is not enough memory",))
STUDY = StudyResult("1f3e", "job", "grid", 0, True, "items_per_s", (trial(0, 1, 4.0), trial(1, 8, 10.0), INFEASIBLE))


def printed(show, width=160):
    output = io.StringIO()
    show(Console(file=output, width=width))
    return output.getvalue()


def test_a_table_has_the_figures_of_jobs():
    text = printed(lambda console: print_outcome(console, STUDY))
    heading = text[: text.index("─")]
    for words in ("items/s", "item", "step", "memory", "build", "steps"):
        assert words in heading
    for words in ("req/s", "p99", "queue", "compute", "reqs"):
        assert words not in text
    assert "trial 2 is INFEASIBLE: there is not enough memory" in text


def test_the_winner_is_told_in_items():
    text = printed(lambda console: print_outcome(console, STUDY))
    assert "Winner: trial 1  batch_size=8\n  800 items/s" in text
    assert "an item takes 1.25 ms" in text
    assert "from 12 steps in 0.1 s" in text
    assert "of a step, inference takes 96%" in text
    assert "throughput ×3.20" in text


def test_a_line_of_the_display_has_items_and_the_time_of_one():
    assert figures(STUDY.trials[1]) == "800 items/s ±1%, an item takes 1.25 ms ±1%"


def test_an_offline_trial_is_read_back_as_one():
    again = trial_from_document(trial_record(STUDY.trials[1]))
    assert again.is_offline
    assert again.details == pytest.approx(STUDY.trials[1].details)
    assert not replace(again, details={}).is_offline


def test_an_export_is_the_job_and_says_that_there_is_nothing_to_deploy():
    text = exported(STUDY, None)
    assert yaml.safe_load(text) == JOB
    assert "# measured: 800 items/s, an item takes 1.25 ms, 12 steps\n" in text
    assert "# a job, and no Serve config: there is nothing to deploy; call it with these args\n" in text


def test_a_check_says_what_a_job_is_and_nothing_of_requests():
    text = printed(lambda console: print_check(console, load_experiment(PROFILE)))
    assert "job:       serve_apps.offline.profile:build, step by step in a fresh process for each trial" in text
    assert "space:     110 configurations" in text
    for words in ("load:", "requests:", "pruned"):
        assert words not in text


def test_a_job_cannot_be_probed():
    result = CliRunner().invoke(app, ["check", str(PROFILE), "--probe"])
    assert isinstance(result.exception, UsageError)
    assert "with mode: offline there are none" in str(result.exception)
