"""How much better than the best may a configuration still be expected to be? If that is little, a search may end.

The best so far is the lowest of the model's means at what was measured, and not the lowest measurement, because the
best of noisy figures flatters itself. Sources: D. R. Jones, M. Schonlau and W. J. Welch, Efficient global optimization
of expensive black-box functions, J. Global Optim. 13 (1998); V. Picheny, T. Wagner and D. Ginsbourger, A benchmark of
kriging-based infill criteria for noisy optimization, Struct. Multidiscip. Optim. 48 (2013), for the best.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy.special import ndtr

from orchestrator.plain import identity
from orchestrator.result import Configuration
from orchestrator.search.algorithm import Task
from orchestrator.search.history import History
from orchestrator.search.loss import relative_loss
from orchestrator.search.process import Process, coordinates

FEWEST = 10
"""Configurations within the SLO that it takes; a model of fewer is too sure of itself."""

MOST = 100
"""Observations that the model is made from: its cost grows with their cube."""

CANDIDATES = 500
"""Random configurations that are looked at."""


def improvement_left(history: History, task: Task, rng: Generator) -> float:
    """The largest expected improvement of the first objective, as a share of the best; inf as long as nobody knows."""
    kept = [one for one in history.selection(MOST) if one.losses is not None and one.violation == 0]
    if len(kept) < FEWEST:
        return math.inf
    candidates = [*_candidates(history, task, rng)]
    if not candidates:
        return 0.0
    losses = np.array([relative_loss(one.losses[0]) for one in kept if one.losses is not None])
    measured = coordinates(task.space, [one.configuration for one in kept])
    process = Process.fit(measured, losses)
    best = float(process.predict(measured)[0].min())
    expected = expected_improvement(best, *process.predict(coordinates(task.space, candidates)))
    return float(np.expm1(expected.max()))


def expected_improvement(best: float, mean: NDArray[np.float64], error: NDArray[np.float64]) -> NDArray[np.float64]:
    """The mean of max(best - loss, 0), of losses with this mean and standard error (> 0), in the unit of `best`."""
    ratio = (best - mean) / error
    density = np.exp(-(ratio**2) / 2) / np.sqrt(2 * np.pi)
    return error * (ratio * ndtr(ratio) + density)


def _candidates(history: History, task: Task, rng: Generator) -> Iterator[Configuration]:
    """Random configurations that were neither measured nor are to be pruned."""
    for _ in range(CANDIDATES):
        drawn = task.space.sample(rng)
        configuration = task.canonical(drawn) if task.canonical else drawn
        if identity(configuration) not in history and not (task.prune and task.prune(configuration)):
            yield configuration
