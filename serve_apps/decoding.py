"""A JPEG as a network takes it: decoded at the smallest scale that is large enough, resized, normalised. Pure."""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from serve_apps.tensors import RequestError

MEAN = np.array([0.485, 0.456, 0.406], np.float32)
DEVIATION = np.array([0.229, 0.224, 0.225], np.float32)
"""Of the channels of ImageNet's pictures, which its networks are trained on after normalising."""


def decode(body: bytes, height: int, width: int) -> NDArray[np.float32]:
    """A JPEG as [3, height, width], normalised. RequestError for what is no JPEG or is cut short."""
    try:
        with Image.open(io.BytesIO(body), formats=("JPEG",)) as picture:
            picture.draft("RGB", (width, height))  # libjpeg then decodes at the smallest scale that is large enough
            small = picture.convert("RGB").resize((width, height), Image.Resampling.BILINEAR, reducing_gap=2.0)
    except (UnidentifiedImageError, OSError, SyntaxError) as error:
        raise RequestError(f"the body is no JPEG picture that can be read: {error}") from None
    pixels = np.asarray(small, np.float32) / np.float32(255)
    return np.ascontiguousarray(((pixels - MEAN) / DEVIATION).transpose(2, 0, 1))
