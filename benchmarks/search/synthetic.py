"""Surfaces by formula, to try the replay and the algorithms on: a server that batches, in a closed and in an open loop.

They are plausible, and no more. Which algorithm is the default is decided on recorded surfaces.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.search.case import P99
from benchmarks.search.grid import grid
from benchmarks.search.surface import SEARCH_SPACES, Record, Surface
from orchestrator.experiment import Experiment, load_experiment
from orchestrator.result import Status

BATCH, WAIT_S = "Classifier.user_config.max_batch_size", "Classifier.user_config.batch_wait_timeout_s"
REPLICAS, ONGOING = "Classifier.num_replicas", "Classifier.max_ongoing_requests"
READERS, READING = "Reader.num_replicas", "Reader.max_ongoing_requests"
COMPUTE, THREADS = "Classifier.user_config.compute", "Classifier.user_config.intra_op_threads"

CORES, CLIENTS, RATE_RPS = 2.0, 32, 400.0
SWEEPS = 3
NOISE = 0.05
"""Standard deviation between repetitions, as a share of the figure; of a p99 twice that."""

INTERVAL = 0.05
"""Relative half-width of the interval that a figure is said to have; of a p99 twice that."""

Formula = Callable[[Mapping[str, Any]], tuple[float, float]]
"""Configuration -> (the objective's figure, p99 in ms)."""


@dataclass(frozen=True)
class Server:
    """CPU in ms: of a request outside of the model, of a call of the model, and of each request in the call."""

    request_ms: float = 0.9
    call_ms: float = 0.25
    item_ms: float = 0.03
    second_replica: float = 0.12  # how much dearer requests become with two of them

    def closed_loop(self, at: Mapping[str, Any]) -> tuple[float, float]:
        """(requests/s, p99 in ms) of CLIENTS clients, by the narrowest of processors, replicas and latency."""
        replicas, ongoing, wait_ms = at[REPLICAS], at[ONGOING], at[WAIT_S] * 1e3
        under_way = min(CLIENTS / replicas, ongoing)  # at one replica
        batch = min(at[BATCH], under_way)
        if not wait_ms:
            batch = max(1.0, min(batch, 0.45 * under_way))  # what arrives while the batch before it computes
        compute_ms = self.call_ms + self.item_ms * batch
        cycle_ms = compute_ms + (wait_ms if at[BATCH] > under_way else 0.0)  # such a batch never fills
        request_ms = self.request_ms * (1 + self.second_replica * (replicas - 1))
        rate = _narrowest(
            1e3 * CORES / (request_ms + compute_ms / batch),
            1e3 * replicas * batch / (cycle_ms + 0.35 * batch * self.request_ms),
            1e3 * CLIENTS / (2.0 + cycle_ms),
        )
        if CLIENTS / replicas > ongoing:  # the router tries again after a pause
            rate *= 0.55 + 0.45 * ongoing * replicas / CLIENTS
        return rate, 1e3 * CLIENTS / rate * (1.7 + 0.5 * (replicas - 1) + 0.06 * math.log2(1 + batch))

    def two_stages(self, at: Mapping[str, Any]) -> tuple[float, float]:
        """The same behind another deployment, which takes 2.2 ms for a request."""
        rate, p99_ms = self.closed_loop({**at, ONGOING: 256})
        readers = at[READERS]
        first = 1e3 * readers / 2.2 * (0.9 if readers * at[READING] < CLIENTS else 1.0)
        both = _narrowest(rate * (1 - 0.05 * (readers - 1)), first)
        return both, p99_ms * rate / both

    def open_loop(self, at: Mapping[str, Any]) -> tuple[float, float]:
        """(mean latency, p99), both in ms, of RATE_RPS requests a second."""
        per_ms, wait_ms = RATE_RPS / 1e3 / at[REPLICAS], at[WAIT_S] * 1e3
        batch = min(at[BATCH], 1 + per_ms * wait_ms)
        compute_ms = (self.call_ms + self.item_ms * batch) * (1 + 0.05 * (at[THREADS] - 1))
        compute_ms += 0.35 if at[COMPUTE] == "executor" else 0.0
        busy = min(0.97, per_ms * (compute_ms / batch + 0.7))
        collecting_ms = min(wait_ms, (at[BATCH] - 1) / per_ms)
        mean_ms = 2.2 + compute_ms + 0.75 * collecting_ms + busy * (compute_ms / batch + 0.8) / (1 - busy)
        return mean_ms, mean_ms * (2.5 + 0.3 * at[REPLICAS]) + 0.4 * collecting_ms


def _narrowest(*rates: float) -> float:
    """About the lowest of them, without an edge."""
    return float(sum(rate**-8 for rate in rates) ** (-1 / 8))


@dataclass(frozen=True)
class Synthetic:
    """A surface by formula: what would be measured of an experiment."""

    name: str
    experiment: Experiment
    formula: Formula

    def surface(self, seed: int = 0, noise: float = NOISE) -> Surface:
        """SWEEPS measurements of every configuration, each sweep in an order of its own."""
        rng = np.random.default_rng(seed)
        points = list(grid(self.experiment.space))
        order = [points[place] for _ in range(SWEEPS) for place in rng.permutation(len(points))]
        return Surface(self.name, tuple(self.measured(point, noise, rng) for point in order))

    def measured(self, configuration: Mapping[str, Any], noise: float, rng: np.random.Generator) -> Record:
        """One measurement; throughput and latency share their luck."""
        value, p99_ms = self.formula(configuration)
        luck = rng.normal(0, noise)
        value *= math.exp(luck)
        p99_ms *= math.exp(rng.normal(0, 2 * noise) - luck)
        figures = {"requests": 1000.0, "error_ratio": 0.0}
        for name, figure, width in ((self.experiment.objective.metric, value, INTERVAL), (P99, p99_ms, 2 * INTERVAL)):
            figures |= {name: figure, f"{name}_lo": figure * (1 - width), f"{name}_hi": figure * (1 + width)}
        return Record(configuration, Status.COMPLETE, figures)


FORMULAS: dict[str, tuple[str, Formula]] = {
    "light_model": ("digits_capacity", Server().closed_loop),
    "heavy_calls": ("digits_capacity", Server(0.3, 0.5, 0.05, second_replica=-0.05).closed_loop),
    "two_stages": ("photos", Server(1.3, 1.2, 0.5).two_stages),
    "steady_rate": ("digits_latency", Server().open_loop),
}
"""By name: the experiment, and what it is like; heavy_calls is an application that is worth batching."""


@functools.cache
def synthetic(name: str) -> Synthetic:
    """One of FORMULAS."""
    experiment, formula = FORMULAS[name]
    return Synthetic(name, load_experiment(SEARCH_SPACES / f"{experiment}.yaml"), formula)
