"""From the arguments of `orchestrator run` to the plan of its study."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from orchestrator.cli.plan import StudyPlan
from orchestrator.cli.resume import earlier, resumed
from orchestrator.errors import UsageError
from orchestrator.experiment import load_experiment
from orchestrator.tracking.port import Tracker

STOPS = ("budget", "stop_early")
"""Settings of the search that may change when a study is gone on with, `--more` aside."""


def plan_study(
    file: Path | None,
    overrides: dict[str, Any],
    resume: str | None,
    more: int | None,
    warm_start: str | None,
    tracking_uri: str | None,
    workload: str | None = None,
    quick: bool = False,
) -> StudyPlan:
    """What the arguments of `orchestrator run` ask for; UsageError where they contradict each other."""
    if resume is None:
        if file is None:
            raise UsageError("name an experiment file, or a study to go on with: --resume STUDY")
        if more is not None:
            raise UsageError("--more adds trials to an earlier study: name it with --resume STUDY")
        experiment = load_experiment(file)
        experiment = (experiment.quick() if quick else experiment).with_overrides(**overrides).of_workload(workload)
        if warm_start is None:
            return StudyPlan(experiment)
        if experiment.workloads:
            raise UsageError("--warm-start is for one workload: name it with --workload")
        return StudyPlan(experiment, warm_start=earlier(_tracker(tracking_uri), warm_start, experiment))
    given = {**overrides, "workload": workload, "quick": quick or None}
    fixed = [f"--{key}" for key, value in given.items() if value is not None and key not in STOPS]
    if fixed or warm_start:
        raise UsageError(
            f"{' and '.join([*fixed, *(['--warm-start'] if warm_start else [])])} cannot be changed in a study that is "
            "gone on with; --more N adds trials"
        )
    plan = resumed(_tracker(tracking_uri), resume, file, more)
    return plan.with_overrides({key: value for key, value in overrides.items() if key in STOPS})


def _tracker(tracking_uri: str | None) -> Tracker:
    from orchestrator.tracking import open_tracker  # slow to import

    return open_tracker(tracking_uri, Path.cwd())
