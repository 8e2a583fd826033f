"""ResNet-50 for pictures of 224×224: a thousand classes (He et al., table 1)."""

from __future__ import annotations

from torch import nn

from serve_apps.nets.residual import Bottleneck, of_photos

SEED = 0
INPUT = "image"  # float32 [batch, 3, 224, 224], normalised
OUTPUT = "logits"  # float32 [batch, 1000]
ITEM_SHAPE = (3, 224, 224)


def network() -> nn.Module:
    """The network: [batch, 3, 224, 224] -> [batch, 1000] logits; 25.6 million weights."""
    return of_photos(Bottleneck, (3, 4, 6, 3))
