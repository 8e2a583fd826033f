"""Residual networks (K. He et al., Deep residual learning for image recognition, CVPR 2016)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn


class Basic(nn.Module):
    """Two 3×3 convolutions beside a shortcut."""

    expansion = 1

    def __init__(self, before: int, width: int, stride: int) -> None:
        super().__init__()
        self.path = nn.Sequential(*_convolution(before, width, 3, stride), nn.ReLU(), *_convolution(width, width, 3))
        self.shortcut = _shortcut(before, width, stride)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """[batch, before, h, w] -> [batch, width, h / stride, w / stride]."""
        return torch.relu(self.path(x) + self.shortcut(x))


class Bottleneck(nn.Module):
    """A 3×3 convolution between two of 1×1, of which the last has four times as many channels."""

    expansion = 4

    def __init__(self, before: int, width: int, stride: int) -> None:
        super().__init__()
        self.path = nn.Sequential(
            *_convolution(before, width, 1),
            nn.ReLU(),
            *_convolution(width, width, 3, stride),
            nn.ReLU(),
            *_convolution(width, 4 * width, 1),
        )
        self.shortcut = _shortcut(before, 4 * width, stride)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """[batch, before, h, w] -> [batch, 4 × width, h / stride, w / stride]."""
        return torch.relu(self.path(x) + self.shortcut(x))


def of_photos(block: type[Basic] | type[Bottleneck], depths: Sequence[int]) -> nn.Module:
    """For pictures of 224×224: [batch, 3, 224, 224] -> [batch, 1000] logits (table 1 of the paper)."""
    widths = (64, 128, 256, 512)
    first = [nn.Conv2d(3, 64, 7, 2, 3, bias=False), nn.BatchNorm2d(64), nn.ReLU(), nn.MaxPool2d(3, 2, 1)]
    last = [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(widths[-1] * block.expansion, 1000)]
    return nn.Sequential(*first, *stages(block, widths, depths), *last)


def stages(block: type[Basic] | type[Bottleneck], widths: Sequence[int], depths: Sequence[int]) -> list[nn.Module]:
    """The blocks of all stages; each stage but the first halves the sides of the picture."""
    blocks: list[nn.Module] = []
    before = widths[0]
    for stage, (width, depth) in enumerate(zip(widths, depths, strict=True)):
        for place in range(depth):
            blocks.append(block(before, width, stride=2 if stage and not place else 1))
            before = width * block.expansion
    return blocks


def _convolution(before: int, after: int, kernel: int, stride: int = 1) -> list[nn.Module]:
    layer = nn.Conv2d(before, after, kernel, stride, padding=kernel // 2, bias=False)
    return [layer, nn.BatchNorm2d(after)]


def _shortcut(before: int, after: int, stride: int) -> nn.Module:
    return nn.Identity() if before == after and stride == 1 else nn.Sequential(*_convolution(before, after, 1, stride))
