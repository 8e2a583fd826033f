"""Expected improvement: by how much a configuration may be hoped to be better than the best.

The best so far is the lowest of the model's means at what was measured, and not the lowest measurement, because the
best of noisy figures flatters itself. Sources: D. R. Jones, M. Schonlau and W. J. Welch, Efficient global optimization
of expensive black-box functions, J. Global Optim. 13 (1998); V. Picheny, T. Wagner and D. Ginsbourger, A benchmark of
kriging-based infill criteria for noisy optimization, Struct. Multidiscip. Optim. 48 (2013), for the best.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr


def expected_improvement(best: float, mean: NDArray[np.float64], error: NDArray[np.float64]) -> NDArray[np.float64]:
    """The mean of max(best - loss, 0), of losses with this mean and standard error (> 0), in the unit of `best`."""
    ratio = (best - mean) / error
    density = np.exp(-(ratio**2) / 2) / np.sqrt(2 * np.pi)
    return error * (ratio * ndtr(ratio) + density)
