"""How much better than the best may any configuration still be expected to be? When that is little, a search may end.

A Gaussian process (Matérn 5/2, a length scale for each coordinate, noise fitted) stands for what was measured, on the
scale of the logarithm. The best so far is the best of its means at the configurations that were measured, because the
best of noisy figures flatters itself. Sources: D. R. Jones, M. Schonlau and W. J. Welch, Efficient global optimization,
J. Global Optim. 13 (1998), who end a search by the expected improvement; V. Picheny, T. Wagner and D. Ginsbourger, A
benchmark of kriging-based infill criteria for noisy optimization, Struct. Multidiscip. Optim. 48 (2013), for the best.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy.special import ndtr

from orchestrator.knob import Listed
from orchestrator.plain import identity
from orchestrator.result import Configuration
from orchestrator.search.algorithm import Task
from orchestrator.search.history import History
from orchestrator.search.labels import labelled
from orchestrator.search.loss import relative_loss

FEWEST = 10
"""Configurations within the SLO that it takes; a model of fewer is too sure of itself."""

MOST = 100
"""Observations that the model is made from: its cost grows with their cube."""

CANDIDATES = 500
"""Random configurations that are looked at."""


def improvement_left(history: History, task: Task, rng: Generator) -> float:
    """The largest expected improvement of the first objective, as a share of the best; inf as long as nobody knows."""
    kept = [one for one in history.selection(MOST) if one.losses is not None and one.violation == 0]
    candidates = [*_candidates(history, task, rng)]
    if len(kept) < FEWEST:
        return float("inf")
    if not candidates:
        return 0.0
    losses = np.array([relative_loss(one.losses[0]) for one in kept if one.losses is not None])
    seen = _coordinates(task, [one.configuration for one in kept])
    mean, error, best = _model(seen, losses, _coordinates(task, candidates))
    better = best - mean
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(error > 0, better / error, 0.0)
    density = np.exp(-(ratio**2) / 2) / np.sqrt(2 * np.pi)
    expected = np.where(error > 0, better * ndtr(ratio) + error * density, np.maximum(better, 0.0))
    return float(np.expm1(expected.max()))


def _candidates(history: History, task: Task, rng: Generator) -> Iterator[Configuration]:
    """Random configurations that were neither measured nor are to be pruned."""
    for _ in range(CANDIDATES):
        drawn = task.space.sample(rng)
        configuration = task.canonical(drawn) if task.canonical else drawn
        if identity(configuration) not in history and not (task.prune and task.prune(configuration)):
            yield configuration


def _model(
    seen: NDArray[np.float64], losses: NDArray[np.float64], unseen: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
    """Mean and standard error of the loss at `unseen` (points, coordinates), without noise, and the best mean seen."""
    # scikit-learn takes a second to import, which only a study that asks for it pays
    from sklearn.gaussian_process import GaussianProcessRegressor
    from sklearn.gaussian_process.kernels import ConstantKernel, Matern, WhiteKernel

    spread = losses.std() or 1.0
    smooth = ConstantKernel(1.0, (0.05, 20.0)) * Matern(np.ones(seen.shape[1]), (0.05, 20.0), nu=2.5)
    process = GaussianProcessRegressor(smooth + WhiteKernel(0.05, (1e-6, 1.0)), random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it tells of every length scale that ends at a bound
        process.fit(seen, (losses - losses.mean()) / spread)
        mean, error = process.predict(unseen, return_std=True)
        known = process.predict(seen)
    noise = process.kernel_.k2.noise_level
    error = np.sqrt(np.maximum(error**2 - noise, 0.0))  # of the mean, which is what will be had
    return spread * mean, spread * error, float(spread * known.min())


def _coordinates(task: Task, configurations: list[Configuration]) -> NDArray[np.float64]:
    """(configurations, coordinates): a number per ordered knob, a 0 or 1 for each value of others."""
    return np.array([[*_place(task, configuration)] for configuration in configurations], dtype=float)


def _place(task: Task, configuration: Configuration) -> Iterator[float]:
    active = {label: (path, knob) for label, path, knob in task.space.active(configuration)}
    for label, knob in labelled(task.space):
        value = configuration[active[label][0]] if label in active else knob.decode(0.5)
        if isinstance(knob, Listed) and not knob.ordinal:
            place = knob.index(value)
            yield from (float(place == other) for other in range(len(knob.listed())))
        else:
            yield knob.encode(value)
