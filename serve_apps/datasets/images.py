"""The pictures of a data set by its name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from serve_apps.datasets.cifar import read_cifar
from serve_apps.datasets.idx import read_idx

Pictures = tuple[NDArray[np.uint8], NDArray[np.int64]]
"""Pictures [n, channels, height, width] with values 0 to 255, and labels [n]."""


@dataclass(frozen=True)
class DataSet:
    """The test pictures of a data set: the files that may hold them, the best first, and how to read those.

    A choice of files is what one distribution of the data set has; all of its files are needed.
    """

    title: str
    shape: tuple[int, int, int]
    classes: int
    choices: Sequence[tuple[str, ...]]
    read: Callable[..., Pictures]


def _idx(pictures: Path, labels: Path) -> Pictures:
    return read_idx(pictures)[:, np.newaxis], read_idx(labels).astype(np.int64)


def _mat(path: Path) -> Pictures:
    from scipy.io import loadmat  # slow to import, and only needed for this
    from scipy.io.matlab import MatReadError

    try:
        stored = loadmat(path, variable_names=["X", "y"])
        pictures, labels = stored["X"].transpose(3, 2, 0, 1), stored["y"].ravel().astype(np.int64)
    except (KeyError, ValueError, TypeError, MatReadError, RuntimeError) as error:  # the last: files of MATLAB 7.3
        raise ValueError(f"{path} does not hold pictures X [32, 32, 3, n] and labels y [n, 1]: {error}") from error
    return np.ascontiguousarray(pictures), labels % 10  # 10 stands for the digit 0


_FASHION = ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")
DATA_SETS = {
    "fashion-mnist": DataSet(
        "Fashion-MNIST", (1, 28, 28), 10, [_FASHION, tuple(f"{name}.gz" for name in _FASHION)], _idx
    ),
    "svhn": DataSet("SVHN, cropped digits", (3, 32, 32), 10, [("test_32x32.mat",)], _mat),
    "cifar-10": DataSet("CIFAR-10", (3, 32, 32), 10, [("test_batch",), ("test_batch.bin",)], read_cifar),
}


def load_pictures(name: str, directory: Path) -> Pictures:
    """The test pictures of a data set, from the files in `directory` or in a folder there.

    FileNotFoundError says which files are looked for; ValueError which one is not what it should be.
    """
    wanted = DATA_SETS[name]
    for files in wanted.choices:
        found = [_find(directory, file) for file in files]
        if all(found):
            pictures, labels = wanted.read(*found)
            if pictures.shape[1:] != wanted.shape or len(pictures) != len(labels):
                raise ValueError(
                    f"{found[0]}: expected pictures of {wanted.shape} with a label each, found {len(pictures):,} of "
                    f"{pictures.shape[1:]} and {len(labels):,} labels"
                )
            return pictures, labels
    looked_for = " or ".join(" and ".join(files) for files in wanted.choices)
    raise FileNotFoundError(f"{directory} has no {wanted.title}: there should be {looked_for}")


def made_up(name: str, count: int, seed: int) -> Pictures:
    """As many pictures of the data set's shape, smooth and with some grain, and random labels."""
    wanted, rng = DATA_SETS[name], np.random.default_rng(seed)
    channels, height, width = wanted.shape
    coarse = rng.uniform(0, 255, (count, channels, height // 4, width // 4))
    pictures = np.kron(coarse, np.ones((4, 4))) + rng.normal(0, 8, (count, *wanted.shape))
    return np.clip(pictures, 0, 255).astype(np.uint8), rng.integers(0, wanted.classes, count)


def _find(directory: Path, file: str) -> Path | None:
    places = (directory / file, *sorted(directory.glob(f"*/{file}")))
    return next((place for place in places if place.is_file()), None)
