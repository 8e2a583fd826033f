"""One offline trial, top to bottom: start a process, build the job, warm up, measure, judge, score."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from orchestrator.assignment import Assignment
from orchestrator.errors import DeploymentFailedError, InfeasibleError
from orchestrator.experiment import Experiment, configured
from orchestrator.measure.race import BEATEN, Rival
from orchestrator.measure.sketch import sorted_ms
from orchestrator.measure.steps import measure_steps, step_figures
from orchestrator.measure.verdict import verdicts
from orchestrator.objective import accuracy_verdict, lacking_accuracy, score
from orchestrator.offline.bench import FreshProcess
from orchestrator.offline.window import Seen, asked_figures, observe_steps, start_up
from orchestrator.result import Status, TrialResult

UNTOLD = "no step tells how accurate the model is: it takes the key `accuracy` in what step() returns (docs/offline.md)"


def run_job(
    assignment: Assignment,
    experiment: Experiment,
    fresh_process: FreshProcess,
    clock: Callable[[], float],
    on_phase: Callable[[str], None],
) -> TrialResult:
    """Measures one configuration of a job; whatever happens to it is in the result, never an exception.

    `clock` gives monotonic seconds; `on_phase` hears "start", "prepare", "build", "warm-up" and "measure".
    """
    started = clock()
    app = configured(experiment, assignment.configuration).app
    job = {"import_path": app["import_path"], "args": app.get("args") or {}}
    result = partial(
        TrialResult,
        assignment.number,
        dict(assignment.configuration),
        export_config=job,
        confirms=assignment.confirms,
        replication=assignment.replication,
    )

    def end(status: Status, reason: str) -> TrialResult:
        wall = clock() - started
        return result(status, reasons=(reason,), wall_s=wall, overhead_s=wall)

    try:
        on_phase("start")
        with fresh_process() as bench:
            on_phase("prepare")
            bench.prepare(job["import_path"], job["args"])
            cold = start_up(bench, experiment.deploy_timeout_s, on_phase)
            seen = observe_steps(bench, experiment, on_phase, _rival(assignment, experiment))
            memory_mib = bench.memory_mib()
    except InfeasibleError as error:
        return end(Status.INFEASIBLE, str(error))
    except DeploymentFailedError as error:
        return end(Status.FAILED, str(error))

    told = step_figures(seen.steps)
    if lacking := lacking_accuracy(told, experiment.slo, UNTOLD):
        return end(Status.FAILED, lacking)
    measurement = measure_steps(seen.steps, asked_figures(experiment))
    samples, window = seen.samples, seen.window
    judged = {**verdicts(samples, window, experiment.slo.limits()), **accuracy_verdict(told, experiment.slo)}
    strict = experiment.measure.validity == "strict"
    wall = clock() - started
    details = {**cold.figures(), **told, "memory_mib": memory_mib, **seen.machine}
    return result(
        Status.INVALID if seen.invalid and strict else Status.COMPLETE,
        reasons=seen.invalid if seen.invalid and strict else _remarks(seen),
        measurement=measurement,
        score=score({**measurement.metrics(), **told}, experiment.slo, experiment.objectives, judged),
        verdicts=judged,
        details=details,
        sorted_ms=sorted_ms(samples, window),
        explanation=explained(details, measurement.latency_mean_ms),
        wall_s=wall,
        overhead_s=max(0.0, wall - seen.warm_up.total_s - seen.steps.total_s),
        samples=samples,
    )


def explained(details: Mapping[str, float], step_ms: float) -> str:
    """Where the time of a step goes, and how many cores it keeps busy; what is not known is left out."""
    parts = {
        name.removeprefix("part_").removesuffix("_ms"): value / step_ms
        for name, value in details.items()
        if name.startswith("part_") and name.endswith("_ms")
    }
    largest = sorted(parts.items(), key=lambda part: -part[1])[:3]
    told = [f"of a step, {', '.join(f'{name} takes {share:.0%}' for name, share in largest)}"] if largest else []
    if "replica_cpu_cores" in details and "machine_cores" in details:
        told.append(f"{details['replica_cpu_cores']:.2g} of {details['machine_cores']:g} cores are busy with it")
    return "; ".join(told)


def _rival(assignment: Assignment, experiment: Experiment) -> Rival | None:
    """None where all are to be known: in a grid, and where one configuration is sought for all values of a knob."""
    whole = experiment.across is not None or experiment.search.algorithm == "grid"
    return None if whole else assignment.rival


def _remarks(seen: Seen) -> tuple[str, ...]:
    again = "measured again, for the first time could not be trusted"
    return (
        *((BEATEN,) if seen.beaten else ()),
        *(f"not to be trusted: {reason}" for reason in seen.invalid),
        *(f"{again}: {reason}" for reason in seen.repeated),
    )
