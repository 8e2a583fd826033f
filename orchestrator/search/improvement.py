"""How much better than the best may a configuration still be expected to be? If that is little, a search may end."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from numpy.random import Generator

from orchestrator.plain import identity
from orchestrator.result import Configuration
from orchestrator.search.algorithm import Task
from orchestrator.search.expected import expected_improvement
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


def _candidates(history: History, task: Task, rng: Generator) -> Iterator[Configuration]:
    """Random configurations that were neither measured nor are to be pruned."""
    for _ in range(CANDIDATES):
        drawn = task.space.sample(rng)
        configuration = task.canonical(drawn) if task.canonical else drawn
        if identity(configuration) not in history and not (task.prune and task.prune(configuration)):
            yield configuration
