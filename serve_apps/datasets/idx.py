"""The IDX format of MNIST and Fashion-MNIST (Y. LeCun, C. Cortes, C. Burges, The MNIST database, 1998).

Two zero bytes, a byte for the type, one for the number of dimensions, each dimension as a big-endian 32-bit integer,
then the values. Files may be gzipped, as they are distributed.
"""

from __future__ import annotations

import gzip
import math
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

_TYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}


def read_idx(path: Path) -> NDArray:
    """The array in the file. ValueError, naming the file, when that is not IDX or is cut short."""
    raw = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    if len(raw) < 4 or raw[:2] != b"\0\0" or raw[2] not in _TYPES:
        raise ValueError(f"{path} is not an IDX file: it begins with {raw[:4].hex(' ') or 'nothing'}")
    kind, dimensions = np.dtype(_TYPES[raw[2]]), raw[3]
    start = 4 + 4 * dimensions
    if len(raw) < start:
        raise ValueError(f"{path} is damaged: it ends before its {dimensions} dimensions")
    shape = np.frombuffer(raw, ">u4", dimensions, offset=4).tolist()
    expected = start + kind.itemsize * math.prod(shape)
    if len(raw) != expected:
        raise ValueError(f"{path} is damaged: {expected:,} bytes are announced, and it has {len(raw):,}")
    return np.frombuffer(raw, kind, offset=start).reshape(shape).astype(kind.newbyteorder("="))
