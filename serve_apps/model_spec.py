"""What is known of a model before it runs: its name and its tensors, in the protocol's terms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

VERSION = "1"  # one version of a model is served


@dataclass(frozen=True)
class TensorSpec:
    """An input or output of a model: protocol data type, and shape with None for a dimension of any length.

    A shape of None means that the model does not state even the number of dimensions.
    """

    name: str
    datatype: str
    shape: tuple[int | None, ...] | None

    @property
    def dimensions(self) -> list[int]:
        """The shape as the protocol writes it: -1 for any length."""
        return [-1 if length is None else length for length in self.shape or ()]

    def metadata(self) -> dict[str, Any]:
        """What `GET /v2/models/{name}` says about the tensor."""
        return {"name": self.name, "datatype": self.datatype, "shape": self.dimensions}


@dataclass(frozen=True)
class ModelSpec:
    """What is known of a model before it runs."""

    name: str
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    platform: str = "onnxruntime_onnx"
    facts: Mapping[str, str] = field(default_factory=dict)
    """What else there is to say of it, by name."""

    @cached_property
    def batchable(self) -> bool:
        """Whether requests can be joined along the first dimension: it is free in every tensor."""
        tensors = (*self.inputs, *self.outputs)
        return bool(self.inputs) and all(tensor.shape and tensor.shape[0] is None for tensor in tensors)

    @cached_property
    def input_by_name(self) -> dict[str, TensorSpec]:
        """Inputs by name."""
        return {tensor.name: tensor for tensor in self.inputs}

    @cached_property
    def output_index(self) -> dict[str, int]:
        """Position of each output by name."""
        return {tensor.name: index for index, tensor in enumerate(self.outputs)}

    def metadata(self) -> dict[str, Any]:
        """The answer to `GET /v2/models/{name}`."""
        return {
            "name": self.name,
            "versions": [VERSION],
            "platform": self.platform,
            "inputs": [tensor.metadata() for tensor in self.inputs],
            "outputs": [tensor.metadata() for tensor in self.outputs],
            **({"parameters": dict(self.facts)} if self.facts else {}),
        }
