"""A network, or a part of one, that becomes an ONNX file of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import nn

Axes = Mapping[str, Mapping[int, str]]
"""Name of a tensor -> its axes of any length, by place, with a name each."""


@dataclass(frozen=True)
class Part:
    """`name` is empty for the main file. `example` makes inputs of so many rows, in the order of `inputs`."""

    name: str
    network: nn.Module
    example: Callable[[int], tuple[torch.Tensor, ...]]
    inputs: Axes
    outputs: Axes
