"""How precisely a throughput is known: confidence intervals from batch means.

Requests that follow each other are correlated (they share queues and batches), so the usual interval over
single requests is far too narrow. The method of batch means cuts one long run into a few contiguous batches;
their means are nearly independent and nearly normal, and give a Student's t interval. Source: A. M. Law and
W. D. Kelton, Simulation Modeling and Analysis, "Output Data Analysis for a Single System", batch means.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from orchestrator.measure.samples import Samples


def throughput_by_batch(samples: Samples, window: tuple[float, float], batches: int) -> NDArray[np.float64]:
    """Successes per second, by scheduled time, in each of `batches` equal parts of `window`: (batches,).

    ValueError for fewer than one batch or an empty window.
    """
    start, end = window
    if batches < 1 or not end > start:
        raise ValueError(f"cannot cut [{start}, {end}) into {batches} batches")
    scheduled = samples.scheduled_s[samples.ok]
    within = scheduled[(scheduled >= start) & (scheduled < end)]
    counts, edges = np.histogram(within, bins=batches, range=window)
    return counts / np.diff(edges)


def relative_half_width(values: Sequence[float] | NDArray[np.float64], confidence: float = 0.95) -> float:
    """Half of the confidence interval of the mean of `values` over that mean: t(n-1) * s / sqrt(n) / |mean|.

    Infinite where nothing can be said: fewer than two values, one that is not finite, or a mean of zero.
    """
    if not 0 < confidence < 1:
        raise ValueError(f"confidence lies between 0 and 1, not {confidence}")
    column = np.asarray(values, np.float64)
    n = len(column)
    if n < 2 or not np.isfinite(column).all() or column.mean() == 0:
        return math.inf
    t = float(stdtrit(n - 1, (1 + confidence) / 2))
    return t * float(column.std(ddof=1)) / math.sqrt(n) / abs(float(column.mean()))
