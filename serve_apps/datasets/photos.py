"""Photos in files, as a run over a data set reads them: JPEGs to decode, or the tensors that they decode to.

Made up once, from a seed, and kept beside the bundled models; every process that needs them finds the same files.
"""

from __future__ import annotations

import fcntl
import io
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from serve_apps.datasets.folder import jpeg_files
from serve_apps.nets.store import directory

JPEGS, TENSORS = "jpegs", "tensors"
"""The two settings: decoding and normalising is a part of loading, or it was done before."""

SEED = 0
QUALITY = 90

Decode = Callable[[bytes], np.ndarray]
"""From a JPEG to what the model takes."""


def photo_files(data: str, count: int, size: tuple[int, int], decode: Decode, shape: str) -> list[Path]:
    """The files of a data set: `jpegs`, `tensors`, or those of the user's directory at that path.

    Made up are `count` photos of `size` (width, height); as tensors each is a file of its own, what `decode` makes of
    the JPEG; `shape` names that. FileNotFoundError where a directory has no JPEG, or is none.
    """
    if data == JPEGS:
        return _made(f"photos-{size[0]}x{size[1]}-{count}", lambda there: _write_jpegs(there, count, size))
    if data == TENSORS:
        sources = photo_files(JPEGS, count, size, decode, shape)
        name = f"tensors-{size[0]}x{size[1]}-{count}-{shape}"
        return _made(name, lambda there: _write_tensors(there, sources, decode))
    return jpeg_files(Path(data).expanduser())


def made_up_jpeg(rng: np.random.Generator, size: tuple[int, int]) -> bytes:
    """A photo of (width, height): smooth, with grain; some 40 KB at 500×375."""
    coarse = Image.fromarray(rng.integers(0, 256, (12, 16, 3), np.uint8))
    smooth = np.asarray(coarse.resize(size, Image.Resampling.BICUBIC), float)
    photo = np.clip(smooth + rng.normal(0, 6, smooth.shape), 0, 255).astype(np.uint8)
    written = io.BytesIO()
    Image.fromarray(photo).save(written, "JPEG", quality=QUALITY)
    return written.getvalue()


def _write_jpegs(there: Path, count: int, size: tuple[int, int]) -> None:
    rng = np.random.default_rng(SEED)
    for number in range(count):
        (there / f"{number:05d}.jpg").write_bytes(made_up_jpeg(rng, size))


def _write_tensors(there: Path, sources: list[Path], decode: Decode) -> None:
    for source in sources:
        np.save(there / f"{source.stem}.npy", decode(source.read_bytes()))


def _made(name: str, write: Callable[[Path], None]) -> list[Path]:
    """The files of the directory of that name; it is complete or not there, and one process makes it."""
    kept = directory() / "photos" / name
    kept.parent.mkdir(parents=True, exist_ok=True)
    with kept.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not kept.exists():
            draft = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=kept.parent))
            try:
                write(draft)
                draft.rename(kept)
            finally:
                shutil.rmtree(draft, ignore_errors=True)
    return sorted(kept.iterdir())
