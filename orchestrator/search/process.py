"""A Gaussian process over a space: what was measured, told on the scale of the logarithm, foretells what was not.

Matérn 5/2 with a length scale for each coordinate, and noise. The length scales and the noise have bounds, because a
dozen noisy measurements leave more than one explanation: a knob changes over its range as much as over a few tenths of
it, and two runs of one configuration differ by 0.2 to 15 %. Source: C. E. Rasmussen and C. K. I. Williams, Gaussian
Processes for Machine Learning (2006).
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import ThreadpoolController

from orchestrator.knob import Listed
from orchestrator.result import Configuration
from orchestrator.search.labels import labelled
from orchestrator.space import Space

LENGTHS = (0.4, 2.0)
"""Bounds of a length scale; a coordinate goes from 0 to 1."""

NOISE = (0.002, 0.05, 0.15)
"""Standard deviation between two runs: the least, where the fit begins, the most."""

LEAST_SPREAD = 1e-3
"""Measurements that differ by less are taken to differ by so much: nothing is that sure."""

BELIEVED = 1e-6
"""Variance of a value that is taken for granted, as a share of that of the measurements."""


@dataclass(frozen=True)
class Process:
    """How values change over the space, learned from measurements, and what follows from those that it was told.

    What it is told and what it foretells is in one unit; inside, values have the mean 0 and the standard deviation 1.
    """

    _kernel: Any  # without the noise
    _noise: float  # its variance
    _middle: float
    _spread: float
    _regressor: Any

    @classmethod
    def fit(cls, points: NDArray[np.float64], values: NDArray[np.float64]) -> Process:
        """Learned from `values` (points,) that were measured at `points` (points, coordinates), and told them."""
        # scikit-learn takes a second to import, which only a study that asks for it pays
        from sklearn.gaussian_process import GaussianProcessRegressor
        from sklearn.gaussian_process.kernels import ConstantKernel, Matern, WhiteKernel

        middle, spread = float(values.mean()), max(float(values.std()), LEAST_SPREAD)
        least, start, most = ((noise / spread) ** 2 for noise in NOISE)
        smooth = ConstantKernel(1.0, (0.1, 10.0)) * Matern(np.ones(points.shape[1]), LENGTHS, nu=2.5)
        regressor = GaussianProcessRegressor(smooth + WhiteKernel(start, (least, most)), random_state=0)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it tells of every length scale that ends at a bound
            with _one_thread():
                regressor.fit(points, (values - middle) / spread)
        learned = regressor.kernel_
        return cls(learned.k1, learned.k2.noise_level, middle, spread, None).told(points, values)

    def told(self, points: NDArray[np.float64], values: NDArray[np.float64], believed: int = 0) -> Process:
        """The same way of changing, and what follows from these values; the last `believed` of them have no noise."""
        from sklearn.gaussian_process import GaussianProcessRegressor

        variances = np.full(len(points), self._noise)
        variances[len(points) - believed :] = BELIEVED
        regressor = GaussianProcessRegressor(self._kernel, alpha=variances, optimizer=None)
        with _one_thread():
            regressor.fit(points, (values - self._middle) / self._spread)
        return Process(self._kernel, self._noise, self._middle, self._spread, regressor)

    def predict(self, points: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Mean and standard error, without noise, at each point."""
        with _one_thread():
            mean, error = self._regressor.predict(points, return_std=True)
        return mean * self._spread + self._middle, np.maximum(error, 1e-6) * self._spread


def _one_thread() -> AbstractContextManager[Any]:
    """For matrices as small as these several threads wait for each other most of the time, on busy cores all of it."""
    return _libraries().limit(limits=1)


@cache
def _libraries() -> ThreadpoolController:
    return ThreadpoolController()  # looks through all libraries that are loaded, which takes a while


def coordinates(space: Space, configurations: Sequence[Configuration]) -> NDArray[np.float64]:
    """(configurations, coordinates): one from 0 to 1 for an ordered knob, a 0 or 1 for each value of the others.

    A knob that is not active has its middle value, so that all branches of a condition have the same coordinates.
    """
    return np.array([[*_place(space, configuration)] for configuration in configurations], dtype=float)


def _place(space: Space, configuration: Configuration) -> Iterator[float]:
    active = {label: path for label, path, _ in space.active(configuration)}
    for label, knob in labelled(space):
        value = configuration[active[label]] if label in active else knob.decode(0.5)
        if isinstance(knob, Listed) and not knob.ordinal:
            place = knob.index(value)
            yield from (float(place == other) for other in range(len(knob.listed())))
        else:
            yield knob.encode(value)
