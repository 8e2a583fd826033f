"""A sentence encoder of MiniLM's shape (W. Wang et al., MiniLM, NeurIPS 2020), six layers: 22.6 million weights."""

from __future__ import annotations

from serve_apps.nets.encoder import Encoder, Shape, parts, seeded

__all__ = ["SEED", "network", "parts"]

SEED = 0


def network() -> Encoder:
    """The network: tokens and mask -> sentence vectors, see `encoder`."""
    return seeded(Shape(6, 384, 12, 1536))
