"""Open Inference Protocol v2: tensors as the body of a request, and random ones that fit a model. Pure.

The protocol is at https://github.com/open-inference/open-inference-protocol; tensors travel by its binary
tensor data extension: a JSON head, then the little-endian bytes of every input in the order of the head.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

_NUMPY = {  # the protocol's numeric datatypes; "<": little-endian
    "BOOL": np.dtype("?"),
    "UINT8": np.dtype("<u1"),
    "UINT16": np.dtype("<u2"),
    "UINT32": np.dtype("<u4"),
    "UINT64": np.dtype("<u8"),
    "INT8": np.dtype("<i1"),
    "INT16": np.dtype("<i2"),
    "INT32": np.dtype("<i4"),
    "INT64": np.dtype("<i8"),
    "FP16": np.dtype("<f2"),
    "FP32": np.dtype("<f4"),
    "FP64": np.dtype("<f8"),
}
DATATYPES = (*_NUMPY, "BYTES")
_WORDS = np.array([b"alpha", b"bravo", b"charlie", b"delta", b"echo", b"foxtrot", b"golf", b"hotel"], dtype=object)


@dataclass(frozen=True)
class TensorSpec:
    """An input of a model; -1 in `shape` is an axis of any length. ValueError for what cannot be made."""

    name: str
    datatype: str
    shape: tuple[int, ...]

    def __post_init__(self) -> None:
        if self.datatype not in DATATYPES:
            raise ValueError(f"input {self.name!r} has the datatype {self.datatype}; known: {', '.join(DATATYPES)}")
        if any(length < -1 for length in self.shape):
            raise ValueError(f"input {self.name!r} has the shape {list(self.shape)}")

    @classmethod
    def parse(cls, metadata: Mapping[str, Any]) -> TensorSpec:
        """From an entry of `inputs` in a model's metadata; ValueError when it is not one."""
        try:
            shape = tuple(int(length) for length in metadata["shape"])
            return cls(str(metadata["name"]), str(metadata["datatype"]), shape)
        except (KeyError, TypeError) as error:
            raise ValueError(f"not the description of an input: {metadata!r}") from error

    @property
    def batched(self) -> bool:
        """Whether the first axis is free: it counts the items of a request."""
        return self.shape[:1] == (-1,)

    def concrete(self, dynamic_dim: int, items: int = 1) -> tuple[int, ...]:
        """The shape of one request: a free first axis is `items`; other free axes are `dynamic_dim`."""
        free = (items if axis == 0 else dynamic_dim for axis in range(len(self.shape)))
        return tuple(chosen if length == -1 else length for length, chosen in zip(self.shape, free, strict=True))


def random_tensor(spec: TensorSpec, shape: tuple[int, ...], rng: np.random.Generator) -> NDArray:
    """A valid input: floats uniform over [0, 1), integers 0 or 1 (good as token ids and masks), words."""
    if spec.datatype == "BYTES":
        return rng.choice(_WORDS, size=shape)
    dtype = _NUMPY[spec.datatype]
    if dtype.kind == "f":
        # In the type itself: float32 rounded to float16 could become 1.0.
        return np.minimum(rng.random(shape).astype(dtype), np.nextafter(dtype.type(1), dtype.type(0)))
    return rng.integers(0, 2, size=shape).astype(dtype)


def infer_request(tensors: Mapping[str, NDArray], encoding: str = "binary") -> tuple[bytes, dict[str, str]]:
    """Body and headers of a request with these inputs, batch axis included, that asks for outputs of its own kind.

    `encoding` is "binary" or "json". ValueError for an array of a type that the protocol does not have.
    """
    if encoding == "json":
        return _json_request(tensors)
    entries, blobs = [], []
    for name, tensor in tensors.items():
        datatype, blob = _encode(name, tensor)
        size = {"binary_data_size": len(blob)}
        entries.append({"name": name, "datatype": datatype, "shape": list(tensor.shape), "parameters": size})
        blobs.append(blob)
    head = json.dumps({"inputs": entries, "parameters": {"binary_data_output": True}}).encode()
    headers = {"Content-Type": "application/octet-stream", "Inference-Header-Content-Length": str(len(head))}
    return b"".join([head, *blobs]), headers


def _json_request(tensors: Mapping[str, NDArray]) -> tuple[bytes, dict[str, str]]:
    inputs = []
    for name, tensor in tensors.items():
        datatype, _ = _encode(name, tensor)
        data = [_text(name, element) if datatype == "BYTES" else element for element in tensor.ravel().tolist()]
        inputs.append({"name": name, "datatype": datatype, "shape": list(tensor.shape), "data": data})
    return json.dumps({"inputs": inputs}).encode(), {"Content-Type": "application/json"}


def _text(name: str, element: Any) -> str:
    try:
        return element.decode() if isinstance(element, bytes) else str(element)
    except UnicodeDecodeError:
        raise ValueError(f"tensor {name!r} holds bytes that are no text, which JSON cannot carry") from None


def _encode(name: str, tensor: NDArray) -> tuple[str, bytes]:
    if tensor.dtype.kind in "OSU":
        return "BYTES", b"".join(_length_prefixed(name, element) for element in tensor.ravel())
    little = tensor.dtype.newbyteorder("<")
    for datatype, dtype in _NUMPY.items():
        if dtype == little:
            return datatype, tensor.astype(dtype, copy=False).tobytes()  # row-major, whatever the array's order
    raise ValueError(f"tensor {name!r} is of type {tensor.dtype}; the protocol has {', '.join(DATATYPES)}")


def _length_prefixed(name: str, element: Any) -> bytes:
    raw = element.encode() if isinstance(element, str) else element
    if not isinstance(raw, bytes):
        raise ValueError(f"tensor {name!r} holds {type(raw).__name__} where strings or bytes can stand")
    return len(raw).to_bytes(4, "little") + raw
