"""What a recorded surface says once its noise is taken away, and what that noise is like.

On a logarithmic scale a measurement is taken for a sum: what the configuration is good for, what the machine was like
in that block of time, and noise. Configurations that were measured in several blocks tell the three apart (least
squares). A block is about as long as a short study: what is slower changes all of its trials alike, and none of its
decisions.

Of forty configurations that are all alike the luckiest looks far better than they are. Therefore the mean of each
configuration is drawn towards those of its neighbours as far as its noise demands: kriging with a Matérn kernel, the
noise being known from the repetitions (C. E. Rasmussen and C. K. I. Williams, Gaussian Processes for Machine Learning,
2006, chapter 2).
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import ConstantKernel, Matern

from benchmarks.search.surface import Record, Surface
from orchestrator.knob import Listed
from orchestrator.plain import identity
from orchestrator.result import Configuration, Status
from orchestrator.space import Space

BLOCK = 20
"""Measurements in a block of time, about two minutes."""


@dataclass(frozen=True)
class Truth:
    """A surface without its noise.

    `values` has the figures by the identity of a configuration; a configuration that did not get as far as figures is
    not among them. `residuals`, [measurements, figures] as logarithms, is the noise that was seen between repetitions.
    """

    figures: tuple[str, ...]
    values: dict[str, dict[str, float]]
    residuals: NDArray[np.float64]

    def noise(self, figure: str) -> float:
        """Standard deviation between repetitions, as a share of the figure."""
        return float(np.std(self.residuals[:, self.figures.index(figure)]))


def find_truth(surface: Surface, space: Space, figures: Sequence[str], smooth: bool = True) -> Truth:
    """The truth of `figures`, all of which are above 0; without `smooth` the means as they were measured.

    ValueError when nothing was measured twice.
    """
    places = [
        place
        for place, record in enumerate(surface.records)
        if record.status is Status.COMPLETE and all(record.figures.get(figure, 0) > 0 for figure in figures)
    ]
    records = [surface.records[place] for place in places]
    index = {key: i for i, key in enumerate(dict.fromkeys(identity(record.configuration) for record in records))}
    config = np.array([index[identity(record.configuration)] for record in records])
    repeats = np.bincount(config)
    if repeats.max(initial=0) < 2:
        raise ValueError(f"no configuration of the surface {surface.name} was measured twice, so its noise is unknown")
    measured = np.log([[record.figures[figure] for figure in figures] for record in records])
    means, residuals = _taken_apart(config, np.array(places) // BLOCK, measured)
    if smooth:
        coordinates = _coordinates(space, _firsts(records, index))
        noise = residuals.std(axis=0)
        means = np.column_stack(
            [_kriged(coordinates, column, sd**2 / repeats) for column, sd in zip(means.T, noise, strict=True)]
        )
    values = {key: dict(zip(figures, np.exp(means[i]).tolist(), strict=True)) for key, i in index.items()}
    return Truth(tuple(figures), values, residuals)


def _taken_apart(config: NDArray, block: NDArray, measured: NDArray) -> tuple[NDArray, NDArray]:
    """(what each configuration is good for, what is left of measurements with a repetition), by least squares.

    A block is believed as far as repetitions show it: ridge regression, with blocks that differ about as much as
    repetitions do. What is left is scaled up for the degrees of freedom that the fit has used.
    """
    configurations, blocks = np.eye(config.max() + 1)[config], np.eye(block.max() + 1)[block]
    design = np.hstack([configurations, blocks])
    ridge = np.hstack([np.zeros((blocks.shape[1], configurations.shape[1])), np.eye(blocks.shape[1])])
    target = np.vstack([measured, np.zeros((len(ridge), measured.shape[1]))])
    fit, *_ = np.linalg.lstsq(np.vstack([design, ridge]), target, rcond=None)
    repeated = np.bincount(config)[config] > 1
    left = (measured - design @ fit)[repeated]
    freedom = len(measured) - configurations.shape[1] - blocks.shape[1] + 1
    return fit[: configurations.shape[1]], left * np.sqrt(len(left) / max(1, freedom))


def _kriged(coordinates: NDArray, means: NDArray, variance: NDArray) -> NDArray:
    """The means, each drawn towards its neighbours as its `variance` demands."""
    middle, scale = means.mean(), means.std() or 1.0
    kernel = ConstantKernel(1.0, (1e-2, 1e2)) * Matern(np.ones(coordinates.shape[1]), (0.05, 50.0), nu=2.5)
    process = GaussianProcessRegressor(kernel, alpha=variance / scale**2 + 1e-8, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # a knob without effect has a length scale without end
        process.fit(coordinates, (means - middle) / scale)
    return process.predict(coordinates) * scale + middle


def _coordinates(space: Space, configurations: Sequence[Configuration]) -> NDArray:
    """[configurations, columns]: an ordered knob is a column from 0 to 1, any other a column for each of its values."""
    columns = []
    for path, knob in space.knobs.items():
        values = [configuration[path] for configuration in configurations]
        if isinstance(knob, Listed) and not knob.ordinal:
            columns += [[float(identity(value) == identity(one)) for value in values] for one in knob.listed()]
        else:
            columns.append([knob.encode(value) for value in values])
    return np.array(columns).T


def _firsts(records: Sequence[Record], index: dict[str, int]) -> list[Configuration]:
    found = {identity(record.configuration): record.configuration for record in records}
    return [found[key] for key in index]
