"""A small convolutional network that reads handwritten digits; trained in seconds on two cores."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from serve_apps.nets import images

SEED = 0
INPUT = "image"  # float32 [batch, 1, 28, 28], ink in 0..1
OUTPUT = "logits"  # float32 [batch, 10]
ITEM_SHAPE = (1, images.SIDE, images.SIDE)
MIN_ACCURACY = 0.95
TEST_SHARE = 0.2
EPOCHS = 8
BATCH = 64
LEARNING_RATE = 1e-3


def network() -> nn.Module:
    """The untrained network: [batch, 1, 28, 28] -> [batch, 10] logits."""
    return nn.Sequential(
        nn.Conv2d(1, 8, kernel_size=3, stride=2, padding=1),
        nn.ReLU(),
        nn.Conv2d(8, 16, kernel_size=3, stride=2, padding=1),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(16 * 7 * 7, 128),
        nn.ReLU(),
        nn.Linear(128, 10),
    )


def train() -> tuple[nn.Module, float]:
    """A trained network and its accuracy (0..1) on images it has not seen; the same on every call."""
    pixels, labels = images.load()
    held_out, seen = split(len(labels))
    torch.manual_seed(SEED)
    net = network()
    _fit(net, torch.from_numpy(pixels[seen]), torch.from_numpy(labels[seen]))
    return net, accuracy(net, pixels[held_out], labels[held_out])


def split(count: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """The places of the images that are held out, and of those that are learnt from."""
    order = np.random.default_rng(SEED).permutation(count)
    cut = int(count * TEST_SHARE)
    return order[:cut], order[cut:]


def accuracy(net: nn.Module, pixels: NDArray[np.float32], labels: NDArray[np.int64]) -> float:
    """Share (0..1) of the images [n, 1, 28, 28] whose largest logit is their label."""
    net.eval()
    with torch.no_grad():
        guesses = net(torch.from_numpy(pixels)).argmax(dim=1).numpy()
    return float((guesses == labels).mean())


def _fit(net: nn.Module, pixels: torch.Tensor, labels: torch.Tensor) -> None:
    optimizer = torch.optim.Adam(net.parameters(), lr=LEARNING_RATE)
    net.train()
    for _ in range(EPOCHS):
        for rows in torch.randperm(len(labels)).split(BATCH):
            optimizer.zero_grad()
            nn.functional.cross_entropy(net(pixels[rows]), labels[rows]).backward()
            optimizer.step()
