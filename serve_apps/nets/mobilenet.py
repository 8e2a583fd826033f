"""MobileNetV2 for pictures of 224×224: a thousand classes.

M. Sandler et al., MobileNetV2: inverted residuals and linear bottlenecks, CVPR 2018, table 2.
"""

from __future__ import annotations

import torch
from torch import nn

SEED = 0
INPUT = "image"  # float32 [batch, 3, 224, 224], normalised
OUTPUT = "logits"  # float32 [batch, 1000]
ITEM_SHAPE = (3, 224, 224)

_BLOCKS = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1))
"""(expansion, channels, how many, stride of the first) of each row of the table."""


class Inverted(nn.Module):
    """A convolution for each channel by itself, between one that makes them more and one that makes them fewer."""

    def __init__(self, before: int, after: int, expansion: int, stride: int) -> None:
        super().__init__()
        inner = before * expansion
        wider = _convolution(before, inner, 1) if expansion > 1 else []
        narrower = [nn.Conv2d(inner, after, 1, bias=False), nn.BatchNorm2d(after)]
        self.path = nn.Sequential(*wider, *_convolution(inner, inner, 3, stride, groups=inner), *narrower)
        self.has_shortcut = stride == 1 and before == after

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """[batch, before, h, w] -> [batch, after, h / stride, w / stride]."""
        return x + self.path(x) if self.has_shortcut else self.path(x)


def network() -> nn.Module:
    """The network: [batch, 3, 224, 224] -> [batch, 1000] logits; 3.5 million weights."""
    layers: list[nn.Module] = _convolution(3, 32, 3, stride=2)
    before = 32
    for expansion, after, count, stride in _BLOCKS:
        for place in range(count):
            layers.append(Inverted(before, after, expansion, stride if place == 0 else 1))
            before = after
    layers += _convolution(before, 1280, 1)
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(1280, 1000))


def _convolution(before: int, after: int, kernel: int, stride: int = 1, groups: int = 1) -> list[nn.Module]:
    layer = nn.Conv2d(before, after, kernel, stride, padding=kernel // 2, groups=groups, bias=False)
    return [layer, nn.BatchNorm2d(after), nn.ReLU6()]
