"""SqueezeNet 1.1 for pictures of 224×224: a thousand classes.

F. Iandola et al., SqueezeNet: AlexNet-level accuracy with 50x fewer parameters and <0.5MB model size, 2016, in the
authors' later arrangement, which computes 2.4 times less.
"""

from __future__ import annotations

import torch
from torch import nn

SEED = 0
INPUT = "image"  # float32 [batch, 3, 224, 224], normalised
OUTPUT = "logits"  # float32 [batch, 1000]
ITEM_SHAPE = (3, 224, 224)

_FIRES = (((64, 16, 64), (128, 16, 64)), ((128, 32, 128), (256, 32, 128)))
_LAST_FIRES = ((256, 48, 192), (384, 48, 192), (384, 64, 256), (512, 64, 256))
"""(channels in, squeezed to, expanded to by each of two convolutions); a pooling follows each group."""


class Fire(nn.Module):
    """Few channels, of which two convolutions make many."""

    def __init__(self, before: int, squeezed: int, expanded: int) -> None:
        super().__init__()
        self.squeeze = nn.Sequential(nn.Conv2d(before, squeezed, 1), nn.ReLU())
        self.small = nn.Sequential(nn.Conv2d(squeezed, expanded, 1), nn.ReLU())
        self.large = nn.Sequential(nn.Conv2d(squeezed, expanded, 3, padding=1), nn.ReLU())

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """[batch, before, h, w] -> [batch, 2 × expanded, h, w]."""
        x = self.squeeze(x)
        return torch.cat([self.small(x), self.large(x)], dim=1)


def network() -> nn.Module:
    """The network: [batch, 3, 224, 224] -> [batch, 1000] logits; 1.2 million weights."""
    layers: list[nn.Module] = [nn.Conv2d(3, 64, 3, 2), nn.ReLU(), _pooling()]
    for group in _FIRES:
        layers += [*(Fire(*fire) for fire in group), _pooling()]
    layers += [*(Fire(*fire) for fire in _LAST_FIRES), nn.Conv2d(512, 1000, 1), nn.ReLU()]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten())


def _pooling() -> nn.Module:
    return nn.MaxPool2d(3, 2, ceil_mode=True)
