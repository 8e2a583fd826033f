"""A sentence encoder of MiniLM's shape (W. Wang et al., MiniLM, NeurIPS 2020), six layers: 22.6 million weights."""

from __future__ import annotations

from serve_apps.nets import weights
from serve_apps.nets.encoder import Encoder, Shape, loaded, parts, seeded

__all__ = ["SEED", "network", "parts"]

SEED = 0


def network() -> Encoder:
    """The network: tokens and mask -> sentence vectors, see `encoder`; with true weights where they are installed."""
    shape, files = Shape(6, 384, 12, 1536), weights.folder("encoder_minilm")
    return seeded(shape) if files is None else loaded(shape, files / weights.WEIGHTS)
