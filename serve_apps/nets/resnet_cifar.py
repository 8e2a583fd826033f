"""A residual network of 20 layers for pictures of the size of CIFAR-10: ten classes (He et al., section 4.2)."""

from __future__ import annotations

from torch import nn

from serve_apps.nets.residual import Basic, stages

SEED = 0
INPUT = "image"  # float32 [batch, 3, 32, 32], normalised
OUTPUT = "logits"  # float32 [batch, 10]
ITEM_SHAPE = (3, 32, 32)


def network() -> nn.Module:
    """The network: [batch, 3, 32, 32] -> [batch, 10] logits."""
    first = [nn.Conv2d(3, 16, 3, padding=1, bias=False), nn.BatchNorm2d(16), nn.ReLU()]
    last = [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10)]
    return nn.Sequential(*first, *stages(Basic, (16, 32, 64), (3, 3, 3)), *last)
