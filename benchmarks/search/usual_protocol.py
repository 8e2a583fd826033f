"""The usual way to a configuration: every point of a grid, deployed afresh, measured until three windows agree.

The rule is that of Triton's Perf Analyzer with its defaults: windows of 5 s, until throughput and mean latency of the
last three are within 10 % of their average, at most ten windows. What is reported is the average of the last three; a
configuration that never settled is reported too, and said to be so. To measure, the orchestrator's own load clients
and figures are used, so that only the protocols differ.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import ray

from benchmarks.search.case import p99_limit_ms
from orchestrator.assignment import Assignment
from orchestrator.backend.remote_load import RemoteLoad
from orchestrator.cluster import Cluster, open_cluster
from orchestrator.errors import DeploymentFailedError, InfeasibleError
from orchestrator.experiment import Experiment, MeasurePlan
from orchestrator.measure.measurement import Measurement
from orchestrator.observation import silent
from orchestrator.result import Configuration
from orchestrator.serve_config import deployable, merge, with_trial_defaults, without_access_log
from orchestrator.serving.state import slot_name
from orchestrator.serving.writer import ServeWriter

WINDOW_S = 5.0
WINDOWS = 3
MOST_WINDOWS = 10
STABILITY = 0.10
ONE_WINDOW = MeasurePlan(
    warmup_s=0, warmup_max_s=0, min_s=WINDOW_S, max_s=WINDOW_S, ceiling=False, validity="warn", precision=0.01
)


@dataclass(frozen=True)
class Answer:
    """What the protocol says of a configuration: the average of the last windows, and what it cost.

    `figures` are throughput in requests/s, mean latency and p99 in ms; None where the application did not run.
    """

    configuration: Configuration
    figures: tuple[float, float, float] | None
    windows: int
    settled: bool
    seconds: float


def settled(windows: Sequence[tuple[float, float, float]]) -> bool:
    """Whether throughput and mean latency of the last three windows are each within 10 % of their average."""
    last = windows[-WINDOWS:]
    if len(last) < WINDOWS:
        return False
    throughputs, latencies, _ = zip(*last, strict=True)
    return all(
        abs(value - (middle := math.fsum(series) / WINDOWS)) <= STABILITY * middle
        for series in (throughputs, latencies)
        for value in series
    )


def average(windows: Sequence[tuple[float, float, float]]) -> tuple[float, float, float]:
    """Of the last three windows, figure by figure."""
    last = windows[-WINDOWS:]
    throughput, mean, p99 = (math.fsum(series) / len(last) for series in zip(*last, strict=True))
    return throughput, mean, p99


def best_of_answers(answers: Iterable[Answer], experiment: Experiment) -> Answer | None:
    """The answer with the highest throughput of those whose p99 keeps the limit, as the averages say."""
    limit = p99_limit_ms(experiment)
    within = [answer for answer in answers if answer.figures is not None and answer.figures[2] <= limit]
    return max(within, key=lambda answer: answer.figures[0], default=None)


def measure_all(experiment: Experiment, configurations: Sequence[Configuration]) -> list[Answer]:
    """The protocol's answers for the configurations, on a cluster of their own; says how far it is."""
    answers = []
    with open_cluster(None, experiment.cluster.data_plane, experiment.cluster.num_cpus) as cluster:
        loop = asyncio.new_event_loop()
        serve = _writer(cluster)  # keeps Serve running between deployments
        loop.run_until_complete(serve.start())
        one_window = experiment.model_copy(update={"measure": ONE_WINDOW})
        load = RemoteLoad(one_window, slot_name(0), (ray.get_runtime_context().get_node_id(),), None)
        try:
            for place, configuration in enumerate(configurations, 1):
                answers.append(_measured(experiment, configuration, cluster, load, loop))
                print(f"  {place} of {len(configurations)}: {answers[-1]}", flush=True)
        finally:
            load.close()
            loop.run_until_complete(serve.close())
    return answers


def _measured(
    experiment: Experiment,
    configuration: Configuration,
    cluster: Cluster,
    load: RemoteLoad,
    loop: asyncio.AbstractEventLoop,
) -> Answer:
    started = time.monotonic()
    application = with_trial_defaults(without_access_log(merge(experiment.app, configuration)))
    writer = _writer(cluster)
    windows: list[tuple[float, float, float]] = []
    try:
        loop.run_until_complete(writer.start())
        config = deployable(application, slot_name(0), f"/{slot_name(0)}")["applications"][0]
        url = loop.run_until_complete(writer.deploy(slot_name(0), config, experiment.deploy_timeout_s))
        while len(windows) < MOST_WINDOWS and not settled(windows):
            seen = load.run(url, application, Assignment(0, configuration), math.nan, silent)
            windows.append(_figures(seen.measurement))
    except (DeploymentFailedError, InfeasibleError):
        return Answer(configuration, None, 0, False, time.monotonic() - started)
    finally:
        loop.run_until_complete(writer.close())  # the next one is deployed afresh
    return Answer(configuration, average(windows), len(windows), settled(windows), time.monotonic() - started)


def _figures(measured: Measurement) -> tuple[float, float, float]:
    return measured.throughput_rps, measured.latency_mean_ms, measured.latency_p99_ms


def _writer(cluster: Cluster) -> ServeWriter:
    return ServeWriter(cluster.dashboard_url, cluster.http_port)
