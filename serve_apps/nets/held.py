"""Inputs that a model is calibrated on, and others on which its variants are compared with it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from serve_apps.datasets.images import made_up
from serve_apps.datasets.text import made_up_lines
from serve_apps.nets import digits, images, store
from serve_apps.nets.encoder import MASK, TOKENS
from serve_apps.tokens import tokenizer

Inputs = dict[str, NDArray]
CALIBRATION, HELD = 64, 256
"""So many items of each; of large pictures fewer are taken."""

_SEED = 20_260_101  # of no payload: what is measured is neither calibrated on nor compared by
_BATCH = 16
_PICTURES = {"clothing": ("fashion-mnist", 255, 0), "svhn": ("svhn", 127.5, 1), "resnet_cifar": ("cifar-10", 127.5, 1)}
"""The data set that has the model's form, and how its pictures become inputs: pixels / a - b, as in `payloads`."""


@dataclass(frozen=True)
class Held:
    """Batches of each; `labels` has the right answers to `compared`, where there are any."""

    calibration: list[Inputs]
    compared: list[Inputs]
    labels: NDArray[np.int64] | None = None


def held(name: str, data: Path | None = None) -> Held:
    """Of a bundled model by its name, or of any by a file of the user's: arrays [n, ...] by name of the input.

    ValueError for a file that is none, and for a model that is neither.
    """
    if data is not None:
        return _of_file(data)
    if name in store.ENCODERS:
        return _sentences(name)
    if name == "digits":
        pixels, labels = images.load()
        compared, seen = digits.split(len(labels))
        rows = _rows({digits.INPUT: pixels[seen[:CALIBRATION]]}), _rows({digits.INPUT: pixels[compared]})
        return Held(*rows, labels[compared])
    if name in _PICTURES:
        return _pictures(*_PICTURES[name])
    if name in store.BUNDLED:  # all others take pictures of 224×224
        return _grain()
    raise ValueError(f"args.data has to name an .npz file with inputs of {name!r}: arrays of the items by input")


def _of_file(data: Path) -> Held:
    try:
        with np.load(data) as stored:
            arrays = {key: stored[key] for key in stored.files}
    except (OSError, ValueError) as error:
        raise ValueError(f"args.data: {data} is no .npz file of arrays: {error}") from error
    if len({len(array) for array in arrays.values() if array.ndim}) != 1 or not all(a.ndim for a in arrays.values()):
        raise ValueError(f"args.data: the arrays in {data} do not have one row for each item")
    return _halves(arrays)


def _pictures(data_set: str, scale: float, shift: float) -> Held:
    pictures, _ = made_up(data_set, CALIBRATION + HELD, _SEED)
    return _halves({"image": pictures / np.float32(scale) - np.float32(shift)}, CALIBRATION)


def _grain() -> Held:
    """Pictures of 224×224 in the normalised range: blocks of colour with grain."""
    rng = np.random.default_rng(_SEED)
    coarse = rng.normal(0, 1, (96, 3, 14, 14))
    pictures = np.kron(coarse, np.ones((16, 16))) + rng.normal(0, 0.1, (96, 3, 224, 224))
    return _halves({"image": pictures.astype(np.float32)}, 32)


def _sentences(name: str) -> Held:
    """Each batch holds sentences that are near in length, as bucketed ones do."""
    numbers: Callable[[str], list[int]] = tokenizer(name)
    rows = [numbers(line) for line in made_up_lines(CALIBRATION + HELD, _SEED)]

    def batches(some: list[list[int]]) -> list[Inputs]:
        ordered = sorted(some, key=len)
        return [_padded(ordered[start : start + _BATCH]) for start in range(0, len(ordered), _BATCH)]

    return Held(batches(rows[:CALIBRATION]), batches(rows[CALIBRATION:]))


def _padded(rows: list[list[int]]) -> Inputs:
    width = max(map(len, rows))
    tokens = np.array([row + [0] * (width - len(row)) for row in rows], np.int64)
    mask = np.array([[1] * len(row) + [0] * (width - len(row)) for row in rows], np.int64)
    return {TOKENS: tokens, MASK: mask}


def _halves(arrays: Inputs, first: int | None = None) -> Held:
    count = len(next(iter(arrays.values())))
    cut = count // 2 if first is None else first
    if not 0 < cut < count:
        raise ValueError(f"args.data: {count} items are too few: one half calibrates, the other compares")
    return Held(_rows({k: a[:cut] for k, a in arrays.items()}), _rows({k: a[cut:] for k, a in arrays.items()}))


def _rows(arrays: Inputs) -> list[Inputs]:
    count = len(next(iter(arrays.values())))
    return [{key: a[start : start + _BATCH] for key, a in arrays.items()} for start in range(0, count, _BATCH)]
