"""A sentence encoder of BERT's own size: 108.9 million weights."""

from __future__ import annotations

from serve_apps.nets.encoder import Encoder, Shape, parts, seeded

__all__ = ["SEED", "network", "parts"]

SEED = 0


def network() -> Encoder:
    """The network: tokens and mask -> sentence vectors, see `encoder`."""
    return seeded(Shape(12, 768, 12, 3072))
