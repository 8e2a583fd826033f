"""A small convolutional network for 28×28 pictures of clothing, in the format of Fashion-MNIST: ten classes."""

from __future__ import annotations

from torch import nn

SEED = 0
INPUT = "image"  # float32 [batch, 1, 28, 28], 0..1
OUTPUT = "logits"  # float32 [batch, 10]
ITEM_SHAPE = (1, 28, 28)


def network() -> nn.Module:
    """The network: [batch, 1, 28, 28] -> [batch, 10] logits; some 0.4 million weights."""
    return nn.Sequential(
        nn.Conv2d(1, 32, kernel_size=3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(32, 64, kernel_size=3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(64 * 7 * 7, 128),
        nn.ReLU(),
        nn.Linear(128, 10),
    )
