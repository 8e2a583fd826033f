"""The batches of CIFAR-10 (A. Krizhevsky, Learning multiple layers of features from tiny images, 2009).

There are two distributions: pickled dictionaries for Python (`data_batch_1`, with `data` [n, 3072] and `labels`), and
binary files (`data_batch_1.bin`, a byte for the label and 3,072 for the picture, one after the other).
"""

from __future__ import annotations

import io
import pickle
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

SIDE = 32
_PIXELS = 3 * SIDE * SIDE
_HARMLESS = {
    ("numpy", "dtype"),
    ("numpy", "ndarray"),
    ("numpy.core.multiarray", "_reconstruct"),
    ("numpy._core.multiarray", "_reconstruct"),
    ("_codecs", "encode"),
}
"""All that the original files name; a pickle that names anything else might run it."""


def read_cifar(path: Path) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Pictures [n, 3, 32, 32] and labels [n] of one batch. ValueError, naming the file, for anything else."""
    pictures, labels = _binary(path) if path.suffix == ".bin" else _pickled(path)
    return pictures.reshape(-1, 3, SIDE, SIDE), labels.astype(np.int64)


def _binary(path: Path) -> tuple[NDArray, NDArray]:
    raw = np.frombuffer(path.read_bytes(), np.uint8)
    if not len(raw) or len(raw) % (1 + _PIXELS):
        raise ValueError(f"{path} has {len(raw):,} bytes, which is no multiple of {1 + _PIXELS:,}: no CIFAR-10 batch")
    rows = raw.reshape(-1, 1 + _PIXELS)
    return rows[:, 1:], rows[:, 0]


def _pickled(path: Path) -> tuple[NDArray, NDArray]:
    try:
        batch = _Careful(io.BytesIO(path.read_bytes()), encoding="bytes").load()
        pictures, labels = np.asarray(batch[b"data"], np.uint8), np.asarray(batch[b"labels"])
    except (pickle.UnpicklingError, EOFError, KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        raise ValueError(f"{path} is not a CIFAR-10 batch: {error}") from error
    if pictures.shape != (len(labels), _PIXELS):
        raise ValueError(f"{path} is not a CIFAR-10 batch: its pictures have the shape {pictures.shape}")
    return pictures, labels


class _Careful(pickle.Unpickler):
    """Makes arrays, and nothing else."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _HARMLESS:
            raise pickle.UnpicklingError(f"it names {module}.{name}, which has no place in one")
        return super().find_class(module, name)
