"""Tensors as the Open Inference Protocol writes them: data types, JSON lists and raw bytes. numpy only."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from itertools import chain
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

DTYPES: dict[str, np.dtype] = {
    "BOOL": np.dtype("?"),
    **{f"UINT{8 * size}": np.dtype(f"<u{size}") for size in (1, 2, 4, 8)},
    **{f"INT{8 * size}": np.dtype(f"<i{size}") for size in (1, 2, 4, 8)},
    **{f"FP{8 * size}": np.dtype(f"<f{size}") for size in (2, 4, 8)},
    "BYTES": np.dtype(object),  # elements are Python bytes
}
"""Protocol data type -> numpy type; raw tensor data is little-endian and row-major."""

_LENGTH = struct.Struct("<I")  # a BYTES element in raw data: its length, then its bytes


class RequestError(ValueError):
    """A request that cannot be answered: an HTTP status, and what was found and what is expected."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


def from_raw(raw: memoryview, datatype: str, shape: Sequence[int], where: str) -> NDArray:
    """The tensor in `raw`, without a copy where possible (read-only then). `where` names it in errors."""
    if datatype == "BYTES":
        return _bytes_from_raw(raw, shape, where)
    dtype = DTYPES[datatype]
    expected = prod(shape) * dtype.itemsize
    if len(raw) != expected:
        raise RequestError(f"{where}: {len(raw)} bytes of binary data, but {datatype} {list(shape)} takes {expected}")
    if datatype == "BOOL" and raw.tobytes().strip(b"\0\1"):
        raise RequestError(f"{where}: BOOL elements are one byte each, 0 or 1; found another value")
    return np.frombuffer(raw, dtype).reshape(shape)


def to_raw(array: NDArray, datatype: str) -> bytes:
    """The inverse of `from_raw`."""
    if datatype != "BYTES":
        return array.astype(DTYPES[datatype], copy=False).tobytes()
    return b"".join(_LENGTH.pack(len(element)) + element for element in array.ravel().tolist())


def from_json(data: Any, datatype: str, shape: Sequence[int], where: str) -> NDArray:
    """The tensor in JSON `data`: a list nested like `shape`, or flat in row-major order.

    Elements must be of the tensor's kind (no numbers in strings, no fractions for integers) and within its
    range. BYTES elements are strings, kept as their UTF-8 bytes.
    """
    flat = _flatten(data, shape, where)
    allowed = _json_types(datatype)
    if found := {type(element) for element in flat} - allowed:
        expected = " or ".join(sorted(kind.__name__ for kind in allowed))
        names = ", ".join(sorted(kind.__name__ for kind in found))
        raise RequestError(f"{where}: {datatype} data holds {expected} elements, found {names}")
    if datatype == "BYTES":
        return _bytes_array([_utf8(element, where) for element in flat], shape)
    try:
        with np.errstate(over="raise"):
            wide = np.array(flat, np.float64) if datatype.startswith("FP") else _integers(flat, datatype)
            return wide.astype(DTYPES[datatype]).reshape(shape)
    except (OverflowError, FloatingPointError):
        raise RequestError(f"{where}: an element is out of the range of {datatype}") from None


def to_json(array: NDArray, datatype: str, where: str) -> list[Any]:
    """The tensor as a flat list in row-major order; BYTES elements must be UTF-8, floats finite."""
    if datatype == "BYTES":
        try:
            return [element.decode() for element in array.ravel().tolist()]
        except UnicodeDecodeError:
            raise RequestError(f"{where}: its bytes are not UTF-8; ask for it as binary data") from None
    if datatype.startswith("FP") and not np.isfinite(array).all():
        raise RequestError(f"{where}: JSON cannot hold NaN or infinity; ask for it as binary data")
    return array.ravel().tolist()


def _flatten(data: Any, shape: Sequence[int], where: str) -> list[Any]:
    """Row-major elements of a list that is flat or nested exactly like `shape`."""
    if not isinstance(data, list):
        raise RequestError(f"{where}: data must be a list, found {type(data).__name__}")
    count = prod(shape)
    if len(data) == count and not any(isinstance(element, list) for element in data):
        return data
    level = [data]
    for axis, length in enumerate(shape):
        for part in level:
            if not isinstance(part, list) or len(part) != length:
                found = f"{len(part)} elements" if isinstance(part, list) else type(part).__name__
                raise RequestError(
                    f"{where}: data does not fit shape {list(shape)}: expected a flat list of {count}, "
                    f"or a list of {length} at depth {axis}; found {found}"
                )
        level = list(chain.from_iterable(level))
    return level


def _json_types(datatype: str) -> set[type]:
    if datatype.startswith("FP"):
        return {int, float}
    return {bool} if datatype == "BOOL" else {str} if datatype == "BYTES" else {int}


def _integers(flat: list[Any], datatype: str) -> NDArray:
    dtype = DTYPES[datatype]
    if flat and datatype != "BOOL":
        limits = np.iinfo(dtype)
        if min(flat) < limits.min or max(flat) > limits.max:
            raise OverflowError
    return np.array(flat, dtype)


def _utf8(text: str, where: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:  # JSON can escape half a surrogate pair
        raise RequestError(f"{where}: an element is not valid Unicode text") from None


def _bytes_from_raw(raw: memoryview, shape: Sequence[int], where: str) -> NDArray:
    elements: list[bytes] = []
    position, count = 0, prod(shape)
    while position < len(raw) and len(elements) <= count:
        start = position + _LENGTH.size
        position = start + _LENGTH.unpack_from(raw, position)[0] if start <= len(raw) else len(raw) + 1
        if position > len(raw):
            raise RequestError(f"{where}: element {len(elements)} of its BYTES data is cut short")
        elements.append(bytes(raw[start:position]))
    if len(elements) != count:
        found = f"more than {count}" if len(elements) > count else str(len(elements))
        raise RequestError(f"{where}: {found} BYTES elements, but shape {list(shape)} takes {count}")
    return _bytes_array(elements, shape)


def _bytes_array(elements: list[bytes], shape: Sequence[int]) -> NDArray:
    array = np.empty(len(elements), object)
    array[:] = elements
    return array.reshape(shape)
