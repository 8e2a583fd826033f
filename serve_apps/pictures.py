"""Grey photos of digits: read, cut to the ink, scaled to what the model knows. Pure; numpy only."""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

from serve_apps.tensors import RequestError

SIDE = 28
LARGEST_SIDE = 4096
FAINT = 0.25
"""Of the range between paper and the darkest ink: what is paler counts as paper."""

_HEADER = re.compile(rb"P5\s+(\d{1,9})\s+(\d{1,9})\s+255\s")


def parse_pgm(body: bytes) -> NDArray[np.uint8]:
    """The pixels [height, width] of a binary PGM file with 8 bits a pixel and no comments. RequestError for others."""
    header = _HEADER.match(body)
    if header is None:
        raise RequestError("expected a binary PGM picture with 8 bits a pixel: P5, width, height, 255, pixels")
    width, height = int(header[1]), int(header[2])
    if not 1 <= min(width, height) <= max(width, height) <= LARGEST_SIDE:
        raise RequestError(f"the picture is {width} × {height}; both sides must be from 1 to {LARGEST_SIDE}")
    pixels = np.frombuffer(body, np.uint8, offset=header.end())
    if len(pixels) != width * height:
        raise RequestError(f"a picture of {width} × {height} has {width * height} pixels, found {len(pixels)}")
    return pixels.reshape(height, width)


def pgm(pixels: NDArray[np.uint8]) -> bytes:
    """The inverse of `parse_pgm`."""
    height, width = pixels.shape
    return b"P5 %d %d 255\n" % (width, height) + pixels.tobytes()


def ink(photo: NDArray[np.uint8]) -> NDArray[np.float32]:
    """The smallest part of the photo that has all of its ink, from 0 (paper) to 1; dark on pale."""
    pixels = photo.astype(np.float32)
    paper, darkest = np.median(pixels), pixels.min()
    if darkest >= paper:
        return np.zeros((1, 1), np.float32)  # an empty page
    strength = np.clip((paper - pixels) / (paper - darkest), 0, 1)
    strength[strength < FAINT] = 0
    rows, columns = np.flatnonzero(strength.any(axis=1)), np.flatnonzero(strength.any(axis=0))
    return strength[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def scaled(picture: NDArray[np.float32]) -> NDArray[np.float32]:
    """The picture as large as fits into [SIDE, SIDE] and in the middle of it, each pixel the mean of its area."""
    height, width = picture.shape
    longest = max(height, width)
    rows = max(1, round(SIDE * height / longest))
    columns = max(1, round(SIDE * width / longest))
    small = _areas(height, rows) @ picture @ _areas(width, columns).T
    image = np.zeros((SIDE, SIDE), np.float32)
    top, left = (SIDE - rows) // 2, (SIDE - columns) // 2
    image[top : top + rows, left : left + columns] = small
    return image


def _areas(source: int, target: int) -> NDArray[np.float32]:
    """Matrix [target, source] that averages over areas: each row sums to 1."""
    edges = np.linspace(0, source, target + 1)
    pixels = np.arange(source)
    overlap = np.minimum(edges[1:, None], pixels + 1) - np.maximum(edges[:-1, None], pixels)
    return (np.clip(overlap, 0, None) * target / source).astype(np.float32)
