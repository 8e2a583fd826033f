"""The discriminator of a semi-supervised GAN for house numbers, 32×32 in colour: ten digits, and "made up".

Convolutions with stride instead of pooling and leaky units, as in T. Salimans et al., Improved techniques for training
GANs, NIPS 2016; at inference dropout does nothing and is left out.
"""

from __future__ import annotations

from torch import nn

SEED = 0
INPUT = "image"  # float32 [batch, 3, 32, 32], -1..1
OUTPUT = "logits"  # float32 [batch, 11]: the digits, then "made up"
ITEM_SHAPE = (3, 32, 32)
_SLOPE = 0.2
_WIDTHS = ((3, 64, 1), (64, 64, 2), (64, 128, 1), (128, 128, 2), (128, 128, 1))
"""(channels in, channels out, stride) of each convolution."""


def network() -> nn.Module:
    """The network: [batch, 3, 32, 32] -> [batch, 11] logits."""
    layers: list[nn.Module] = []
    for before, after, stride in _WIDTHS:
        layers += [nn.Conv2d(before, after, kernel_size=3, stride=stride, padding=1), nn.LeakyReLU(_SLOPE)]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(128, 11))
