"""What the workers of a DataLoader do: read items, and join them to a batch that says how long that took."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch.utils.data import Dataset, default_collate

from serve_apps.offline.source import Files, Item


class Batch(NamedTuple):
    """Pictures [n, 3, height, width], and what reading and decoding all of them took."""

    pixels: torch.Tensor
    load_s: float
    decode_s: float


class Photos(Dataset):
    """A run of so many items over files."""

    def __init__(self, files: Files, items: int) -> None:
        self._files, self._items = files, items

    def __len__(self) -> int:
        return self._items

    def __getitem__(self, index: int) -> Item:
        """Read, and decoded if need be."""
        return self._files.read(index)


def collate(items: Sequence[Item]) -> Batch:
    """A batch; in a worker it lies in memory that it shares with the process that computes."""
    pixels = default_collate([item.pixels for item in items])
    return Batch(pixels, sum(item.load_s for item in items), sum(item.decode_s for item in items))
