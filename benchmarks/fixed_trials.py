"""Runs a fixed list of configurations through the real machinery: cluster, Ray Tune, Serve, load client, MLflow."""

from __future__ import annotations

import math
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from orchestrator.backend.tune import TuneBackend
from orchestrator.cluster import open_cluster
from orchestrator.environment import describe_environment
from orchestrator.experiment import Experiment
from orchestrator.result import Configuration, TrialResult
from orchestrator.search import ListedSearch
from orchestrator.study import Observer, run_study
from orchestrator.tracking import open_tracker


@dataclass
class Stopwatch:
    """Observes a study: when each trial began, on the study's own clock, and what came out of it."""

    began: dict[int, float] = field(default_factory=dict)
    results: list[TrialResult] = field(default_factory=list)

    def study_started(self, study_id):
        """Nothing to note."""

    def trial_started(self, number, configuration, confirms):
        self.began[number] = time.monotonic()

    def trial_finished(self, result, incumbent):
        self.results.append(result)
        print(f"  {result.number}: {result.status} {dict(result.configuration)}", flush=True)

    def start_to_start_s(self, number: int) -> float:
        """From the beginning of a trial to the beginning of the next: everything that it costs."""
        return self.began[number + 1] - self.began[number]


def run_listed(
    experiment: Experiment,
    configurations: Sequence[Configuration],
    data_plane: str | None,
    observer: Observer,
    until: float = math.inf,
) -> None:
    """Measures the configurations in order on a cluster of their own; the observer hears of what comes out."""
    with tempfile.TemporaryDirectory() as store, open_cluster(None, data_plane, None) as cluster:
        backend = TuneBackend(cluster, on_phases=lambda phases: None)
        tracker = open_tracker(None, Path(store))
        environment = describe_environment(cluster.data_plane)
        run_study(experiment, ListedSearch(configurations, until), backend, tracker, observer, environment)


def run_fixed(experiment: Experiment, configurations: Sequence[Configuration], data_plane: str | None) -> Stopwatch:
    """The same; raises when one of them is not measured."""
    watch = Stopwatch()
    run_listed(experiment, configurations, data_plane, watch)
    broken = [result for result in watch.results if result.measurement is None]
    if broken:
        raise SystemExit(f"trial {broken[0].number} is {broken[0].status}: {'; '.join(broken[0].reasons)}")
    return watch
