"""A bundled model computed by torch, as it is or compiled; the only module of the applications that imports it.

A replica that does so starts seconds later, and one that compiles a minute later: `deploy_timeout_s` has to allow it.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from serve_apps.model_spec import ModelSpec, TensorSpec
from serve_apps.nets.store import weights_path
from serve_apps.tensors import DTYPES, RequestError
from serve_apps.variant import InfeasibleError

_TRIED_ROWS = (1, 2, 3)
"""Batches that are computed before the first request: torch compiles for one row, for two, and for any number."""

_TRIED_LENGTH = 16


class TorchModel:
    """A drop-in for `OnnxModel`; `run` computes in `threads` threads, which are the whole process's."""

    def __init__(self, name: str, path: Path, threads: int, compiled: bool) -> None:
        torch.set_num_threads(threads)
        stored = torch.load(weights_path(path), weights_only=True)
        network = importlib.import_module(f"serve_apps.nets.{name}").network()
        network.load_state_dict(stored["weights"])
        self._network = network.eval()
        self.accuracy: float | None = stored["accuracy"]  # the export was checked against this network: it is the same
        self.spec = ModelSpec(name, _specs(stored["inputs"]), _specs(stored["outputs"]), "pytorch")
        if compiled:
            self._compile()

    def prepare(self, inputs: Mapping[str, NDArray]) -> dict[str, NDArray]:
        """The inputs in the model's order, each an array of its own: torch shares memory and wants to write to it."""
        return {name: np.array(inputs[name]) for name in self.spec.input_by_name}

    def run(self, inputs: dict[str, NDArray]) -> list[NDArray]:
        """All outputs in the model's order. Raises RequestError."""
        try:
            with torch.inference_mode():
                found = self._network(*(torch.from_numpy(array) for array in inputs.values()))
        except IndexError as error:
            raise RequestError(f"the model refuses the input: {error}") from None
        except Exception as error:  # whatever an operator raises
            raise RequestError(f"the model failed: {error}", status=500) from None
        return [output.numpy() for output in (found if isinstance(found, tuple) else (found,))]

    def _compile(self) -> None:
        self._network = torch.compile(self._network, dynamic=True)
        for rows in _TRIED_ROWS:
            try:
                self.run({spec.name: _ones(spec, rows) for spec in self.spec.inputs})
            except RequestError as error:
                raise InfeasibleError(
                    f"args.engine is 'torch_compile', and torch cannot compile {self.spec.name!r} here: {error}"
                ) from None


def _specs(described: list[list]) -> tuple[TensorSpec, ...]:
    return tuple(
        TensorSpec(name, datatype, tuple(None if length < 0 else length for length in shape))
        for name, datatype, shape in described
    )


def _ones(spec: TensorSpec, rows: int) -> NDArray:
    free = (rows, *[_TRIED_LENGTH] * len(spec.dimensions))
    shape = [free[axis] if length < 0 else length for axis, length in enumerate(spec.dimensions)]
    return np.ones(shape, DTYPES[spec.datatype])
