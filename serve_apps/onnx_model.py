"""ONNX Runtime behind a small interface; the only module of the application that imports it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from onnxruntime.capi.onnxruntime_pybind11_state import InvalidArgument

from serve_apps.model_spec import ModelSpec, TensorSpec
from serve_apps.tensors import RequestError
from serve_apps.variant import FP16, FP32, InfeasibleError

_DATATYPES = {
    "tensor(bool)": "BOOL",
    "tensor(float16)": "FP16",
    "tensor(float)": "FP32",
    "tensor(double)": "FP64",
    "tensor(string)": "BYTES",
    **{f"tensor({sign}int{bits})": f"{sign}int{bits}".upper() for sign in ("", "u") for bits in (8, 16, 32, 64)},
}
ACCURACY_KEY = "held_out_accuracy"
_CPU, _CUDA = "CPUExecutionProvider", "CUDAExecutionProvider"
_ERRORS_ONLY = 3  # ONNX Runtime's log level; warnings about a graph help nobody in a replica's log


class OnnxModel:
    """One ONNX file, loaded. `run` may be called from several threads at once.

    `accuracy` is what is known of the model: on held-out data, or how far it agrees with the file it was made from.
    """

    def __init__(self, name: str, path: Path, threads: int, precision: str = FP32) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = _ERRORS_ONLY
        try:
            self._session = onnxruntime.InferenceSession(str(path), options, providers=providers(precision))
        except InfeasibleError:
            raise
        except Exception as error:  # ONNX Runtime raises a dozen unrelated types for a bad file
            raise ValueError(f"cannot load the model {path}: {error}") from None
        self.spec = ModelSpec(
            name,
            tuple(_tensor_spec(path, node) for node in self._session.get_inputs()),
            tuple(_tensor_spec(path, node) for node in self._session.get_outputs()),
        )
        self.accuracy: float | None = float(self._session.get_modelmeta().custom_metadata_map.get(ACCURACY_KEY, 1.0))
        self._texts = [i for i, output in enumerate(self.spec.outputs) if output.datatype == "BYTES"]

    def prepare(self, inputs: Mapping[str, NDArray]) -> dict[str, NDArray]:
        """The inputs, in the model's order, as the session takes them. RequestError for text not in UTF-8.

        The session takes text as `str` only, and bytes silently as their Python repr. It also assumes aligned
        memory, which a tensor that lies behind a JSON header in a request's body need not have.
        """
        return {name: _prepared(name, inputs[name]) for name in self.spec.input_by_name}

    def run(self, inputs: dict[str, NDArray]) -> list[NDArray]:
        """All outputs in the model's order. Raises RequestError: 400 if the input is at fault, else 500."""
        try:
            results = self._session.run(None, inputs)
        except InvalidArgument as error:
            raise RequestError(f"the model refuses the input: {error}") from None
        except Exception as error:  # as above: no common base class
            raise RequestError(f"the model failed: {error}", status=500) from None
        for index in self._texts:
            results[index] = _encoded(results[index])
        return results


def providers(precision: str) -> list[str]:
    """What computes a model in these numbers here; InfeasibleError where nothing does."""
    if precision != FP16:
        return [_CPU]
    if _CUDA not in onnxruntime.get_available_providers():
        raise InfeasibleError(
            "args.precision is 'fp16', and this node has no GPU that ONNX Runtime could use; on a CPU it converts the "
            "numbers to fp32 and back"
        )
    return [_CUDA, _CPU]


def _tensor_spec(path: Path, node: Any) -> TensorSpec:
    if node.type not in _DATATYPES:
        raise ValueError(f"cannot serve {path}: {node.name!r} is a {node.type}, which the protocol does not know")
    # ONNX Runtime shows a scalar and a tensor of unknown rank alike, as an empty shape.
    shape = tuple(length if isinstance(length, int) and length >= 0 else None for length in node.shape) or None
    return TensorSpec(node.name, _DATATYPES[node.type], shape)


def _prepared(name: str, value: NDArray) -> NDArray:
    if value.dtype == object:
        try:
            return _map(bytes.decode, value)
        except UnicodeDecodeError:
            raise RequestError(f"input {name!r}: the model takes text, but an element is not UTF-8") from None
    return value if value.flags.aligned else value.copy()


def _encoded(value: NDArray) -> NDArray:
    return _map(str.encode, value)


def _map(function: Any, value: NDArray) -> NDArray:
    mapped = np.empty(value.size, object)
    mapped[:] = [function(element) for element in value.ravel().tolist()]
    return mapped.reshape(value.shape)
