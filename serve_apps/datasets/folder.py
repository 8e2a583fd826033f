"""Photos of a user's own: the JPEG files below a directory."""

from __future__ import annotations

from pathlib import Path

import numpy as np

ENDINGS = (".jpg", ".jpeg")


def jpeg_files(directory: Path) -> list[Path]:
    """The files below a directory in the order of their names. FileNotFoundError where there are none."""
    files = sorted(file for file in directory.rglob("*") if file.suffix.lower() in ENDINGS)
    if not files:
        raise FileNotFoundError(f"{directory} has no file that ends in {' or '.join(ENDINGS)}")
    return files


def read_jpegs(directory: Path, count: int, rng: np.random.Generator) -> list[bytes]:
    """The contents of so many files, drawn at random, each as often as any other, give or take one.

    FileNotFoundError where there are none.
    """
    files = jpeg_files(directory)
    chosen = rng.permutation(np.resize(rng.permutation(len(files)), count))
    return [files[place].read_bytes() for place in chosen.tolist()]
