"""One trial, top to bottom: deploy, load, judge, score, explain."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from orchestrator.assignment import Assignment
from orchestrator.diagnosis import diagnose, facts_of
from orchestrator.errors import DeploymentFailedError, InfeasibleError, PayloadError
from orchestrator.experiment import ClosedLoop, Experiment, configured
from orchestrator.measure.outcomes import describe_outcomes
from orchestrator.measure.race import BEATEN
from orchestrator.measure.samples import Samples
from orchestrator.measure.sketch import sorted_ms
from orchestrator.measure.windows import in_window
from orchestrator.objective import accuracy_verdict, cost_figures, lacking_accuracy, score
from orchestrator.observation import Observation
from orchestrator.result import Status, TrialResult
from orchestrator.serve_config import (
    app_problems,
    deployable,
    pin,
    reserved,
    with_limits,
    with_trial_defaults,
    without_access_log,
)

UNTOLD = (
    "no answer tells how accurate the model is: it takes the entry accuracy;desc=0.99 in Server-Timing "
    "(docs/application.md)"
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

    def clear(self) -> None:
        """Removes what runs in the slot, so that the next `deploy` starts new replicas, whatever the config.

        Raises:
            InfeasibleError: it does not go away.
        """


class Load(Protocol):
    """What puts the experiment's load on an application."""

    def run(
        self,
        url: str,
        application: Mapping,
        assignment: Assignment,
        ceiling_rps: float,
        on_phase: Callable[[str], None],
    ) -> Observation:
        """Warms up and measures the application at `url`, whose Serve config is `application`.

        `ceiling_rps` is what an application that does nothing reaches here, NaN where that is not known. A
        replication has arrivals of its own, and is not cut short because a limit of the SLO has failed.

        Raises:
            PayloadError: the workload's payloads cannot be made for this application.
            DeploymentFailedError: the application is said to run but does not answer.
        """


@dataclass(frozen=True)
class Place:
    """What a trial's place is like: cores that may be used, what the null application reaches, the data plane."""

    cores: float = math.nan
    ceiling_rps: float = math.nan
    data_plane: str | None = None


def run_trial(
    assignment: Assignment,
    experiment: Experiment,
    serving: Serving,
    load: Load,
    clock: Callable[[], float],
    on_phase: Callable[[str], None],
    place: Place = Place(),
) -> TrialResult:
    """Measures one configuration; whatever happens to it is in the result, never an exception.

    `clock` gives monotonic seconds; `on_phase` hears "deploy" when that begins, and what the load says of its own.
    """
    started = clock()
    # An access log line per request is paid for in every measurement; the export keeps what was measured.
    experiment = configured(experiment, assignment.configuration)
    application = without_access_log(experiment.app)
    config = trial_config(application, serving)
    usable = with_limits(application, "python", "")
    export = deployable(usable, application.get("name", experiment.name), application.get("route_prefix", "/"))
    result = partial(
        TrialResult,
        assignment.number,
        dict(assignment.configuration),
        serve_config=config,
        export_config=export,
        confirms=assignment.confirms,
        replication=assignment.replication,
    )

    def end(status: Status, reason: str) -> TrialResult:
        wall = clock() - started
        return result(status, reasons=(reason,), wall_s=wall, overhead_s=wall)

    problems = app_problems(application)
    if problems:
        return end(Status.INFEASIBLE, "; ".join(f"{path}: {message}" for path, message in problems))
    try:
        on_phase("deploy")
        if assignment.replication is not None:
            serving.clear()
        url = serving.deploy(config["applications"][0], experiment.deploy_timeout_s)
        seen = load.run(url, application, assignment, place.ceiling_rps, on_phase)
    except InfeasibleError as error:
        return end(Status.INFEASIBLE, str(error))
    except (DeploymentFailedError, PayloadError) as error:
        return end(Status.FAILED, str(error))

    told = seen.figures()
    if seen.measurement.successes and (lacking := lacking_accuracy(told, experiment.slo, UNTOLD)):
        return end(Status.FAILED, lacking)
    status, reasons = _judged(seen, strict=experiment.measure.validity == "strict")
    figures = seen.measurement.metrics()
    cost = _cost(application, figures, experiment)
    verdicts = {**seen.verdicts, **accuracy_verdict(told, experiment.slo)}
    scored = score({**figures, **told, **cost}, experiment.slo, experiment.objectives, verdicts)
    wall = clock() - started
    return result(
        status,
        reasons=reasons,
        measurement=seen.measurement,
        score=None if status is Status.FAILED else scored,
        verdicts=verdicts,
        details={**told, **_ceiling(place), **cost},
        batches=seen.breakdown.batches,
        sorted_ms=sorted_ms(seen.samples, seen.window),
        explanation="" if status is Status.FAILED else _explain(application, seen, experiment, place),
        wall_s=wall,
        overhead_s=max(0.0, wall - seen.loaded_s),
        samples=seen.samples,
    )


def _ceiling(place: Place) -> dict[str, float]:
    return {} if math.isnan(place.ceiling_rps) else {"ceiling_rps": place.ceiling_rps}


def _cost(application: Mapping, figures: Mapping[str, float], experiment: Experiment) -> dict[str, float]:
    """The cost of a million requests, with its interval; empty where there are no prices."""
    if experiment.prices is None:
        return {}
    return cost_figures(figures, experiment.prices.per_hour(*reserved(application)))


def _judged(seen: Observation, strict: bool) -> tuple[Status, tuple[str, ...]]:
    counted = in_window(seen.samples, seen.window)
    if not counted.ok.any():
        return Status.FAILED, (f"no request succeeded: {describe_outcomes(counted)}",)
    if seen.invalid and strict:
        return Status.INVALID, seen.invalid
    return Status.COMPLETE, tuple(_remarks(seen, counted))


def _remarks(seen: Observation, counted: Samples) -> Iterator[str]:
    if not counted.ok.all():
        yield describe_outcomes(counted)
    if seen.beaten:
        yield BEATEN
    if seen.short_of is not None:
        successes, seconds = seen.measurement.successes, seen.measurement.duration_s
        yield (
            f"{successes:,} of the {seen.short_of:,} requests asked for (measure.requests) succeeded "
            f"in {seconds:.1f} s: measure.max_s, or the last arrival, ended the window"
        )
    for reason in seen.invalid:
        yield f"not to be trusted: {reason}"
    for reason in seen.repeated:
        yield f"measured again, for the first time could not be trusted: {reason}"


def _explain(application: Mapping, seen: Observation, experiment: Experiment, place: Place) -> str:
    traffic = experiment.load.traffic
    facts = facts_of(
        application,
        seen.measurement,
        seen.breakdown,
        seen.machine,
        concurrency=traffic.concurrency if isinstance(traffic, ClosedLoop) else math.nan,
        items=experiment.load.items_per_request,
        cores=place.cores,
        ceiling_rps=place.ceiling_rps,
        data_plane=place.data_plane,
    )
    return diagnose(facts).sentence


def trial_config(application: dict, serving: Serving) -> dict:
    """The Serve config of an application in a trial's place."""
    application = with_limits(with_trial_defaults(application), sys.executable, f"{serving.slot}-", later=True)
    if serving.node_id is not None:
        application = pin(application, serving.node_id)
    return deployable(application, serving.slot, f"/{serving.slot}")
