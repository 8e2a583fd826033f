"""ResNet-18 for pictures of 224×224: a thousand classes (He et al., table 1)."""

from __future__ import annotations

from torch import nn

from serve_apps.nets.residual import Basic, stages

SEED = 0
INPUT = "image"  # float32 [batch, 3, 224, 224], normalised
OUTPUT = "logits"  # float32 [batch, 1000]
ITEM_SHAPE = (3, 224, 224)


def network() -> nn.Module:
    """The network: [batch, 3, 224, 224] -> [batch, 1000] logits; 11.7 million weights."""
    first = [nn.Conv2d(3, 64, 7, 2, 3, bias=False), nn.BatchNorm2d(64), nn.ReLU(), nn.MaxPool2d(3, 2, 1)]
    last = [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(512, 1000)]
    return nn.Sequential(*first, *stages(Basic, (64, 128, 256, 512), (2, 2, 2, 2)), *last)
