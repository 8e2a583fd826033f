"""Real handwritten digits as 28×28 images. numpy only, scikit-learn is imported when they are loaded."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

SOURCE_SIDE = 8
SIDE = 28
INK_MAX = 16.0  # scikit-learn's digits count the inked pixels of 4×4 blocks: 0..16


def load() -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """All 1,797 digits: images float32 [n, 1, 28, 28] with values in 0..1, and labels int64 [n] in 0..9."""
    from sklearn.datasets import load_digits  # heavy, and never needed in a replica

    digits = load_digits()
    return upscale(digits.images), digits.target.astype(np.int64)


def upscale(images: NDArray) -> NDArray[np.float32]:
    """Bilinear enlargement of [n, 8, 8] images with values in 0..16 to float32 [n, 1, 28, 28] in 0..1."""
    weights = _interpolation(SOURCE_SIDE, SIDE)
    enlarged = weights @ (images / INK_MAX) @ weights.T
    return np.ascontiguousarray(enlarged[:, np.newaxis], dtype=np.float32)


def _interpolation(source: int, target: int) -> NDArray[np.float64]:
    """Matrix [target, source] of linear interpolation with pixel centres aligned; every row sums to 1."""
    centres = np.clip((np.arange(target) + 0.5) * source / target - 0.5, 0, source - 1)
    left = np.minimum(centres.astype(int), source - 2)
    share = centres - left
    weights = np.zeros((target, source))
    rows = np.arange(target)
    weights[rows, left] = 1 - share
    weights[rows, left + 1] = share
    return weights
