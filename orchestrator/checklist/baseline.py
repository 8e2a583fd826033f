"""The facts of the baseline, from all of its measurements. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import fmean

from orchestrator.checklist.arguments import THREADS_PATH
from orchestrator.checklist.findings import Facts
from orchestrator.checklist.tried import complete, runs_of
from orchestrator.checklist.versions import Release
from orchestrator.experiment import Experiment
from orchestrator.result import BASELINE, StudyResult, TrialResult
from orchestrator.serve_config.settings import THREADS, settings_of, settings_of_each


def facts_of(
    experiment: Experiment,
    study: StudyResult,
    releases: Sequence[Release] = (),
    driver: str = "",
    data_plane: str | None = None,
) -> Facts:
    """`figures` are means over the measurements that count; none where there is no such measurement."""
    runs = runs_of(study, BASELINE)
    measured = complete(runs)
    each = [_figures(run) for run in measured]
    names = {name for figures in each for name in figures}
    threads = _threads(experiment)
    return Facts(
        figures={name: fmean(one[name] for one in each if name in one) for name in sorted(names)},
        explanation=measured[-1].explanation if measured else "",
        why_not="; ".join(runs[-1].reasons) if runs else "its turn did not come",
        replicas=_replicas(experiment),
        single=(math.isnan(threads) or threads == 1) and experiment.load.items_per_request == 1,
        assumed=math.isnan(threads),
        latency=experiment.objective.metric.startswith("latency_"),
        data_plane=data_plane,
        releases=releases,
        driver=driver,
    )


def _figures(run: TrialResult) -> dict[str, float]:
    return {**run.details, **(run.measurement.metrics() if run.measurement else {})}


def _replicas(experiment: Experiment) -> float:
    """Of the deployment that has the model."""
    stated = settings_of(experiment.app).replicas
    return 1.0 if math.isnan(stated) else stated


def _threads(experiment: Experiment) -> float:
    """Of one batch, as the file states them; NaN where it does not."""
    stated = [settings[THREADS] for settings in settings_of_each(experiment.app) if THREADS in settings.values]
    argument = (experiment.app.get("args") or {}).get(THREADS_PATH.rpartition(".")[2])
    return max([*stated, *([argument] if isinstance(argument, int) else [])], default=math.nan)
