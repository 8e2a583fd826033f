"""One trial, top to bottom: deploy, warm up, load, measure, score."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

import numpy as np

from orchestrator.errors import DeploymentFailedError, InfeasibleError, PayloadError
from orchestrator.experiment import Experiment
from orchestrator.load.generator import LoadRecord
from orchestrator.measure.samples import Outcome, Samples
from orchestrator.measure.windows import in_window, measure
from orchestrator.objective import score
from orchestrator.result import Configuration, Status, TrialResult
from orchestrator.serve_config import (
    app_problems,
    deployable,
    merge,
    pin,
    with_trial_defaults,
    without_access_log,
)


class Serving(Protocol):
    """Where a trial's application runs: one slot of the cluster."""

    @property
    def slot(self) -> str:
        """Name of the application, and of its route, that the trials of this place share."""

    @property
    def node_id(self) -> str | None:
        """Node to which the replicas are pinned; None when the cluster has only this one."""

    def deploy(self, application: dict, timeout_s: float) -> str:
        """Brings the slot to this application config; returns the URL that answers for it.

        Raises:
            InfeasibleError: it cannot be had here, or is not ready within `timeout_s` seconds.
            DeploymentFailedError: the application's own code raised.
        """


class Load(Protocol):
    """What puts the experiment's load on an application."""

    def run(self, url: str) -> LoadRecord:
        """Warms up and measures the application at `url`.

        Raises:
            PayloadError: the workload's payloads cannot be made for this application.
            DeploymentFailedError: the application is said to run but does not answer.
        """


def run_trial(
    number: int,
    configuration: Configuration,
    experiment: Experiment,
    serving: Serving,
    load: Load,
    clock: Callable[[], float],
    on_phase: Callable[[str], None],
) -> TrialResult:
    """Measures one configuration; whatever happens to it is in the result, never an exception.

    `clock` gives monotonic seconds; `on_phase` hears "deploying" and "loading" when they begin.
    """
    started = clock()
    # An access log line per request is paid for in every measurement; the export keeps what was measured.
    application = without_access_log(merge(experiment.app, configuration))
    config = _trial_config(application, serving)
    export = deployable(application, application.get("name", experiment.name), application.get("route_prefix", "/"))

    def end(status: Status, reason: str) -> TrialResult:
        wall = clock() - started
        return TrialResult(
            number,
            dict(configuration),
            status,
            reasons=(reason,),
            wall_s=wall,
            overhead_s=wall,
            serve_config=config,
            export_config=export,
        )

    problems = app_problems(application)
    if problems:
        return end(Status.INFEASIBLE, "; ".join(f"{path}: {message}" for path, message in problems))
    try:
        on_phase("deploying")
        url = serving.deploy(config["applications"][0], experiment.deploy_timeout_s)
        on_phase("loading")
        record = load.run(url)
    except InfeasibleError as error:
        return end(Status.INFEASIBLE, str(error))
    except (DeploymentFailedError, PayloadError) as error:
        return end(Status.FAILED, str(error))

    measurement = measure(record.samples, record.window, experiment.slo.latency_limits_ms())
    counted = in_window(record.samples, record.window)
    if not counted.ok.any():
        failed = end(Status.FAILED, f"no request succeeded: {describe_outcomes(counted)}")
        return replace(failed, measurement=measurement, samples=record.samples)
    wall = clock() - started
    return TrialResult(
        number=number,
        configuration=dict(configuration),
        status=Status.COMPLETE,
        reasons=() if counted.ok.all() else (describe_outcomes(counted),),
        measurement=measurement,
        score=score(measurement, experiment.slo, experiment.objective),
        wall_s=wall,
        overhead_s=max(0.0, wall - record.window[1]),
        serve_config=config,
        export_config=export,
        samples=record.samples,
    )


def _trial_config(application: dict, serving: Serving) -> dict:
    application = with_trial_defaults(application)
    if serving.node_id is not None:
        application = pin(application, serving.node_id)
    return deployable(application, serving.slot, f"/{serving.slot}")


def describe_outcomes(samples: Samples) -> str:
    """What became of the requests, in words: "1,204 of 1,300 requests failed: 1,200 x HTTP 503, 4 x time-out"."""
    if not len(samples):
        return "no request was sent"
    parts = []
    answered = samples.outcome == Outcome.HTTP_ERROR
    for status, count in zip(*np.unique(samples.status[answered], return_counts=True), strict=True):
        parts.append(f"{count:,} × HTTP {status}")
    for outcome, words in ((Outcome.TIMEOUT, "time-out"), (Outcome.BROKEN, "broken connection")):
        count = int((samples.outcome == outcome).sum())
        if count:
            parts.append(f"{count:,} × {words}")
    failed = int((~samples.ok).sum())
    return f"{failed:,} of {len(samples):,} requests failed: {', '.join(parts)}"
