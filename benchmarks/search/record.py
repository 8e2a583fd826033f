"""Measures the grid of an experiment with the orchestrator itself, again and again, and keeps every measurement.

    python -m benchmarks.search.record digits_capacity [--sweeps 2] [--finals 10] [--minutes 30]

A sweep measures every configuration once, in a random order of its own: what the machine does meanwhile is no knob's
doing, and what is measured twice tells the noise between runs. After the sweeps come finals, in which only the best
are measured: where configurations differ least, most has to be known. Each measurement is a trial of a study on
one cluster (Ray Tune, Serve, the load client, MLflow in a store of its own) in a window of 2.5 s without an early end,
so that no limit shortens it; processors are kept awake. It takes about 5 s.

Ends when everything is measured, or after so many minutes; what was measured is in surfaces/NAME.json at any time, and
the same command goes on from there.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

import numpy as np

from benchmarks.fixed_trials import run_listed
from benchmarks.search.case import P99, WITHIN_LIMIT
from benchmarks.search.grid import grid
from benchmarks.search.surface import SEARCH_SPACES, SURFACES, Record, Surface, load_surface, save_surface
from benchmarks.trust.awake import processors_awake
from orchestrator.environment import describe_environment
from orchestrator.experiment import Experiment, MeasurePlan, load_experiment
from orchestrator.objective import Slo, score
from orchestrator.plain import identity
from orchestrator.result import Configuration, TrialResult

WINDOW_S = 2.5
MEASURE = MeasurePlan(
    warmup_s=0.5,
    warmup_max_s=1.5,
    min_s=WINDOW_S,
    max_s=WINDOW_S,
    ceiling=False,
    validity="warn",  # a machine that is too busy shows in the noise, and nothing is measured twice but by plan
)
FINALISTS = 0.15
"""The share of the configurations that is measured again because it is the best; as many within a limit on the p99."""

WITH_INTERVALS = ("throughput_rps", "latency_mean_ms", "latency_p50_ms", "latency_p95_ms", "latency_p99_ms")
PLAIN = (
    *("requests", "error_ratio", "queue_ms_mean", "batch_wait_ms_mean", "compute_ms_mean", "network_ms_mean"),
    *("batch_size_mean", "overhead_s", "wall_s", "machine_busy_share", "steal_share", "others_cpu_share"),
)
"""The last of them to judge a recording by."""


def main() -> None:
    options = _options()
    experiment = load_experiment(SEARCH_SPACES / f"{options.name}.yaml")
    surface = load_surface(SURFACES / f"{options.name}.json")
    deadline = time.monotonic() + options.minutes * 60
    while order := planned(surface, experiment, options.sweeps, options.finals):
        surface = record(surface, experiment, order, deadline)
        if time.monotonic() >= deadline:
            break
    print(f"{len(surface.records)} measurements of {len(surface.configurations())} configurations")


def planned(surface: Surface, experiment: Experiment, sweeps: int, finals: int) -> list[Configuration]:
    """What is left to be measured of the sweeps, or else of the finals, in order."""
    points = list(grid(experiment.space))
    seed = experiment.search.seed
    swept = [points[place] for sweep in range(sweeps) for place in _shuffled(len(points), seed, sweep)]
    done = len(surface.records)
    if done < len(swept):
        return swept[done:]
    if not finals:
        return []
    first = replace(surface, records=surface.records[: len(swept)])  # so that it is the same whenever it is asked
    best = finalists(first, experiment)
    again = [best[place] for final in range(finals) for place in _shuffled(len(best), seed, sweeps + final)]
    return again[done - len(swept) :]


def finalists(surface: Surface, experiment: Experiment) -> list[Configuration]:
    """The configurations with the best figures so far, without a limit on the p99 and with one."""
    every, objective = surface.configurations(), experiment.objective
    means = {key: _means(surface, key, (objective.metric, P99)) for key in every}
    known = [key for key, figures in means.items() if not np.isnan(figures).any()]
    known.sort(key=lambda key: means[key][0], reverse=objective.maximize)
    limit = np.quantile([means[key][1] for key in known], WITHIN_LIMIT)
    within = [key for key in known if means[key][1] <= limit]
    count = math.ceil(FINALISTS * len(every))
    return [every[key] for key in dict.fromkeys([*known[:count], *within[:count]])]


def _means(surface: Surface, key: str, figures: Sequence[str]) -> np.ndarray:
    of_it = [record.figures for record in surface.records if identity(record.configuration) == key]
    return np.mean([[one.get(figure, math.nan) for figure in figures] for one in of_it], axis=0)


def record(surface: Surface, experiment: Experiment, order: Sequence[Configuration], deadline: float) -> Surface:
    """The surface with the measurements of `order` added, as far as there is time; saved after each."""
    plane = experiment.cluster.data_plane
    environment = describe_environment(plane, started=datetime.now().astimezone())
    sessions = (*surface.sessions, {"first": len(surface.records), **environment})
    recorder = _Recorder(replace(surface, sessions=sessions), experiment, len(surface.records) + len(order))
    unlimited = experiment.model_copy(update={"measure": MEASURE, "slo": Slo()})  # no limit ends a measurement early
    with processors_awake():
        run_listed(unlimited, order, plane, recorder, deadline)
    return recorder.surface


def recorded(result: TrialResult, experiment: Experiment) -> Record:
    """A trial as it is kept: its figures, their intervals, and by how much the experiment's SLO is violated."""
    if result.measurement is None:
        return Record(result.configuration, result.status, {"wall_s": result.wall_s})
    times = {"overhead_s": result.overhead_s, "wall_s": result.wall_s}
    every = {**result.details, **result.measurement.metrics(), **times}
    kept = [*(f"{name}{end}" for name in WITH_INTERVALS for end in ("", "_lo", "_hi")), *PLAIN]
    figures = {name: every[name] for name in kept if name in every}
    violation = score(result.measurement.metrics(), experiment.slo, experiment.objectives).violation
    return Record(result.configuration, result.status, {**figures, "violation": violation})


class _Recorder:
    """Observes a study, and saves the surface after every trial."""

    def __init__(self, surface: Surface, experiment: Experiment, total: int) -> None:
        self.surface = surface
        self._experiment = experiment
        self._total = total

    def study_started(self, study_id):
        """Nothing to note."""

    def trial_started(self, number, configuration, confirms):
        """Nothing to note."""

    def trial_finished(self, result, incumbent):
        kept = recorded(result, self._experiment)
        self.surface = replace(self.surface, records=(*self.surface.records, kept))
        save_surface(self.surface)
        metric = self._experiment.objective.metric
        figure = f"{metric} {kept.figures[metric]:,.4g}" if metric in kept.figures else ""
        place = f"{len(self.surface.records):>5} of {self._total}"
        print(f"{place}  {kept.status}  {result.wall_s:.1f} s  {figure}  {'; '.join(result.reasons)}", flush=True)


def _shuffled(count: int, seed: int, sweep: int) -> list[int]:
    return np.random.default_rng([seed, sweep]).permutation(count).tolist()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", help="of an experiment in search_spaces/, without .yaml")
    parser.add_argument("--sweeps", type=int, default=2, help="measurements of every configuration")
    parser.add_argument("--finals", type=int, default=10, help="further measurements of the best ones")
    parser.add_argument("--minutes", type=float, default=math.inf, help="stop after so long")
    return parser.parse_args()


if __name__ == "__main__":
    main()
