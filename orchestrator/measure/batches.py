"""The method of batch means: how uncertain a mean of correlated values is.

Requests that follow each other are correlated (they share queues and batches). A window is cut into a few equal
parts, whose means are nearly independent and nearly normal. What correlation is left between neighbours is
estimated, cleared of its bias in short series, and raises the error as in a first-order autoregression.

Sources: A. M. Law and W. D. Kelton, Simulation Modeling and Analysis, "Output Data Analysis for a Single
System"; A. Tafazzoli and J. R. Wilson, Skart: a skewness- and autoregression-adjusted batch-means procedure,
IIE Transactions 43 (2011); F. H. C. Marriott and J. A. Pope, Bias in the estimation of autocorrelations,
Biometrika 41 (1954).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri, stdtrit

from orchestrator.measure.samples import Window

BATCHES = 10
"""Fewer widen the interval for little; with more, neighbours in a busy queue are too much alike (simulated)."""

FEW = 5
"""So many batches have no correlation to speak of: the bound on it (`most_correlation`) is 0 there."""


@dataclass(frozen=True)
class Batches:
    """A window's requests by equal parts of it: the batch of each, and how many each batch has."""

    index: NDArray[np.intp]  # (requests,): from 0 to the number of batches, exclusive
    sizes: NDArray[np.float64]  # (batches,)

    @classmethod
    def cut(cls, times_s: NDArray[np.float64], window: Window, count: int = BATCHES) -> Batches:
        """Cut `window` into `count` parts; `times_s` (requests,) all lie within it.

        ValueError for a window without length.
        """
        start, end = window
        if not end > start:
            raise ValueError(f"cannot cut [{start}, {end}) into batches")
        index = ((times_s - start) * (count / (end - start))).astype(np.intp)
        np.clip(index, 0, count - 1, out=index)  # rounding may push the last request out
        return cls(index, np.bincount(index, minlength=count).astype(np.float64))

    @property
    def requests(self) -> int:
        """How many there are in all batches."""
        return len(self.index)

    def where(self, mask: NDArray[np.bool_]) -> Batches:
        """The same batches of the requests for which `mask` (requests,) is true."""
        index = self.index[mask]
        return Batches(index, np.bincount(index, minlength=len(self.sizes)).astype(np.float64))

    def mean_and_error(self, values: NDArray) -> tuple[float, float]:
        """Mean of `values` (requests,) and its standard error, correlation included.

        Batches differ in size: the error is that of a ratio of sums.
        """
        mean, deviations = self._deviations(values)
        return mean, sum_error(deviations) / self.requests

    def freedom(self, values: NDArray) -> float:
        """Degrees of freedom that are left of the batches, as far as their means of `values` (requests,) correlate.

        k (1 - r) / (1 + r) - 1 for k batches whose neighbours correlate by r, and at least 1.
        """
        correlation = _neighbours(self._deviations(values)[1])
        return max(1.0, len(self.sizes) * (1 - correlation) / (1 + correlation) - 1)

    def _deviations(self, values: NDArray) -> tuple[float, NDArray[np.float64]]:
        totals = np.bincount(self.index, weights=values, minlength=len(self.sizes))
        mean = float(totals.sum()) / self.requests
        return mean, totals - mean * self.sizes


def sum_error(deviations: NDArray[np.float64]) -> float:
    """Standard error of the sum over batches, from each batch's deviation (batches,); they sum to zero.

    sqrt(k * variance * (1 + r) / (1 - r)) for k batches whose neighbours correlate by r.
    """
    k, correlation = len(deviations), _neighbours(deviations)
    return math.sqrt(float(deviations @ deviations) * k / (k - 1) * (1 + correlation) / (1 - correlation))


def _neighbours(deviations: NDArray[np.float64]) -> float:
    """Correlation r of neighbours, from 0 to `most_correlation`.

    An estimate of r from k values is (1 + 4r) / k too low on average (Marriott and Pope), which is undone. Of five
    values or fewer it says nothing, and r is taken for 0.
    """
    k, squares = len(deviations), float(deviations @ deviations)
    if squares == 0 or k <= FEW:
        return 0.0
    correlation = (k * float(deviations[1:] @ deviations[:-1]) / squares + 1) / (k - 4)
    return min(max(correlation, 0.0), most_correlation(k))


def most_correlation(batches: int) -> float:
    """Bound on a correlation estimated from so few batches: 0.5 from 10, 0.75 from 20.

    More would come from chance far oftener than from a queue, and make intervals needlessly wide (simulated).
    """
    return 1 - 5 / batches


def inflation(batches: Batches, events: NDArray[np.bool_], share: float) -> float:
    """How many correlated requests say as much as an independent one about `share`, that of `events`; >= 1.

    The variance of the share by batch means, over share * (1 - share) / n.
    """
    independent = share * (1 - share) / batches.requests
    return max(1.0, batches.mean_and_error(events)[1] ** 2 / independent) if independent > 0 else 1.0


def inflation_of_mean(batches: Batches, values: NDArray[np.float64]) -> float:
    """How many correlated requests say as much as an independent one about the mean of `values`; >= 1."""
    independent = float(values.var()) / batches.requests
    return max(1.0, batches.mean_and_error(values)[1] ** 2 / independent) if independent > 0 else 1.0


def doubt(freedom: float, confidence: float) -> float:
    """By how much more an inflation with so many degrees of freedom has to count, being uncertain itself.

    (t / z)^2, both two-sided: with it, the laws of independent events give Student's t.
    """
    return (students_t(freedom, confidence) / float(ndtri((1 + confidence) / 2))) ** 2


def students_t(freedom: float, confidence: float) -> float:
    """Student's t, two-sided."""
    return float(stdtrit(freedom, (1 + confidence) / 2))
