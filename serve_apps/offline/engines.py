"""A bundled model on one of the engines, ready to be run on batches in memory."""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from serve_apps.nets.store import ensure_built

ONNXRUNTIME, TORCH = "onnxruntime", "torch"
ENGINES = (ONNXRUNTIME, TORCH)

WORDS = 30_000
"""Tokens are drawn below this number; every encoder has that many."""


@dataclass(frozen=True)
class Input:
    """What one input of a model takes for an item; None is a length that one may choose."""

    name: str
    shape: tuple[int | None, ...]  # of an item, without the batch
    whole: bool  # tokens, or a mask of them


@dataclass(frozen=True)
class Engine:
    """A loaded model: what it takes, and a function that runs it on a batch."""

    inputs: tuple[Input, ...]
    run: Callable[[dict[str, NDArray]], None]

    def batch(self, size: int, length: int, seed: int = 0) -> dict[str, NDArray]:
        """Random items by name of the input, without any padding; `length` is that of texts."""
        rng = np.random.default_rng(seed)
        return {one.name: _drawn(one, (size, *(side or length for side in one.shape)), rng) for one in self.inputs}


def all_cores() -> int:
    """As many threads as there are cores to use, or as the environment says."""
    return int(os.environ.get("OMP_NUM_THREADS") or os.cpu_count() or 1)


def opened(model: str, engine: str, threads: int) -> Engine:
    """The bundled model on that engine, with so many threads."""
    return _on_onnxruntime(model, threads) if engine == ONNXRUNTIME else _on_torch(model, threads)


def _on_onnxruntime(model: str, threads: int) -> Engine:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(ensure_built(model)), options, providers=["CPUExecutionProvider"])
    inputs = tuple(_input(node.name, node.shape[1:], node.type == "tensor(int64)") for node in session.get_inputs())
    return Engine(inputs, lambda batch: session.run(None, batch))


def _on_torch(model: str, threads: int) -> Engine:
    import torch

    torch.set_num_threads(threads)
    net = importlib.import_module(f"serve_apps.nets.{model}")
    torch.manual_seed(net.SEED)
    network = net.network().eval()
    inputs = _inputs_of(net, network)

    def run(batch: dict[str, NDArray]) -> None:
        with torch.inference_mode():
            network(*(torch.from_numpy(batch[one.name]) for one in inputs))

    return Engine(inputs, run)


def _inputs_of(net: ModuleType, network: Any) -> tuple[Input, ...]:
    if hasattr(net, "ITEM_SHAPE"):
        return (_input(net.INPUT, net.ITEM_SHAPE, whole=False),)
    (part,) = net.parts(network)
    return tuple(_input(name, [None] * (len(axes) - 1), whole=True) for name, axes in part.inputs.items())


def _input(name: str, shape: list | tuple, whole: bool) -> Input:
    return Input(name, tuple(side if isinstance(side, int) else None for side in shape), whole)


def _drawn(one: Input, shape: tuple[int, ...], rng: np.random.Generator) -> NDArray:
    if not one.whole:
        return rng.random(shape, dtype=np.float32)
    if "mask" in one.name:
        return np.ones(shape, np.int64)
    return rng.integers(0, WORDS, shape)
