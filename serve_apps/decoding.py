"""A JPEG as a network takes it: decoded at the smallest scale that is large enough, resized, normalised. Pure.

Two libraries do the first step, both with libjpeg-turbo inside: Pillow, and simplejpeg, which is a thin layer over it.
Neither holds the interpreter's lock meanwhile.
"""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
import simplejpeg
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from serve_apps.tensors import RequestError

PILLOW, TURBO = "pillow", "turbo"

MEAN = np.array([0.485, 0.456, 0.406], np.float32)
DEVIATION = np.array([0.229, 0.224, 0.225], np.float32)
"""Of the channels of ImageNet's pictures, which its networks are trained on after normalising."""


def decode(body: bytes, height: int, width: int) -> NDArray[np.float32]:
    """A JPEG as [3, height, width], normalised, by Pillow. RequestError for what is no JPEG or is cut short."""
    try:
        with Image.open(io.BytesIO(body), formats=("JPEG",)) as picture:
            picture.draft("RGB", (width, height))  # libjpeg then decodes at the smallest scale that is large enough
            return _normalised(picture.convert("RGB"), height, width)
    except (UnidentifiedImageError, OSError, SyntaxError) as error:
        raise _refused(error) from None


def decode_turbo(body: bytes, height: int, width: int) -> NDArray[np.float32]:
    """The same by simplejpeg."""
    try:
        pixels = simplejpeg.decode_jpeg(body, "RGB", min_height=height, min_width=width)
    except ValueError as error:
        raise _refused(error) from None
    return _normalised(Image.fromarray(pixels), height, width)


DECODERS: dict[str, Callable[[bytes, int, int], NDArray[np.float32]]] = {PILLOW: decode, TURBO: decode_turbo}


def _normalised(picture: Image.Image, height: int, width: int) -> NDArray[np.float32]:
    small = picture.resize((width, height), Image.Resampling.BILINEAR, reducing_gap=2.0)
    pixels = np.asarray(small, np.float32) / np.float32(255)
    return np.ascontiguousarray(((pixels - MEAN) / DEVIATION).transpose(2, 0, 1))


def _refused(error: Exception) -> RequestError:
    return RequestError(f"the body is no JPEG picture that can be read: {error}")
