"""A sentence encoder of two layers, for tests and first looks: 4.4 million weights."""

from __future__ import annotations

from serve_apps.nets.encoder import Encoder, Shape, parts, seeded

__all__ = ["SEED", "network", "parts"]

SEED = 0


def network() -> Encoder:
    """The network: tokens and mask -> sentence vectors, see `encoder`."""
    return seeded(Shape(2, 128, 2, 512))
