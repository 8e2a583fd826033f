"""Where the items of a run come from, and how one is read."""

from __future__ import annotations

import importlib
import time
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from serve_apps.datasets.photos import photo_files
from serve_apps.decoding import DECODERS, PILLOW
from serve_apps.offline.arguments import PipelineArgs


class Item(NamedTuple):
    """One picture [3, height, width] as the model takes it, and what that took."""

    pixels: np.ndarray
    load_s: float
    decode_s: float


@dataclass(frozen=True)
class Source:
    """Photos for a model of pictures of `side` (height, width): made up, `photos` of `size`, or a user's directory."""

    data: str
    photos: int
    size: tuple[int, int]
    side: tuple[int, int]
    decoder: str = PILLOW

    def find(self) -> Files:
        """The files on this machine, made first if need be. FileNotFoundError where a directory has none."""
        shape = "x".join(map(str, self.side))
        files = photo_files(self.data, self.photos, self.size, lambda body: DECODERS[PILLOW](body, *self.side), shape)
        return Files(tuple(files), self.side, self.decoder)


@dataclass(frozen=True)
class Files:
    """What items are read from; with more items than files, these are read again in turn."""

    files: tuple[Path, ...]
    side: tuple[int, int]
    decoder: str

    def read(self, index: int) -> Item:
        """The item of that number. Raises what reading and decoding do."""
        file = self.files[index % len(self.files)]
        started_s = time.perf_counter()
        if file.suffix == ".npy":
            return Item(np.load(file), time.perf_counter() - started_s, 0.0)
        body = file.read_bytes()
        read_s = time.perf_counter()
        return Item(DECODERS[self.decoder](body, *self.side), read_s - started_s, time.perf_counter() - read_s)


def source_of(args: PipelineArgs) -> Source:
    """Of photos that the model of these arguments takes."""
    _, height, width = importlib.import_module(f"serve_apps.nets.{args.model}").ITEM_SHAPE
    return Source(args.data, args.photos, args.size, (height, width), args.decoder)
