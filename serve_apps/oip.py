"""The Open Inference Protocol, version 2: infer requests and responses, JSON and binary. Pure; numpy only.

Source: the protocol's REST API (https://github.com/kserve/open-inference-protocol) and its binary tensor
data extension, in which the JSON part of a body is followed by the raw tensors in the order in which it names
them; the `Inference-Header-Content-Length` header says where the JSON part ends.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import lru_cache
from math import prod
from typing import Any, NamedTuple

from numpy.typing import NDArray

from serve_apps import tensors
from serve_apps.model_spec import VERSION, ModelSpec, TensorSpec
from serve_apps.tensors import RequestError

MAX_ELEMENTS = 2**31  # far above any request body, and it keeps shapes within what numpy can hold
MAX_RANK = 32

_encode = json.JSONEncoder(separators=(",", ":")).encode  # json.dumps makes a new encoder on every call


class InferRequest(NamedTuple):
    """A valid request; `outputs` are (position in the model's outputs, as binary?), in the order asked."""

    id: str | None
    inputs: dict[str, NDArray]
    outputs: tuple[tuple[int, bool], ...]


def parse_request(model: ModelSpec, body: bytes, header_length: int | None = None) -> InferRequest:
    """The request in `body`, of which the first `header_length` bytes are JSON (None: all of it).

    Raises RequestError (status 400) naming what was found and what is expected.
    """
    if header_length is not None and header_length > len(body):
        raise RequestError(
            f"Inference-Header-Content-Length is {header_length}, but the body has only {len(body)} bytes"
        )
    document = _json_object(body) if header_length is None else _json_header(body[:header_length])
    request_id = document.get("id")
    if request_id is not None and not isinstance(request_id, str):
        raise RequestError(f"id must be a string, found {request_id!r}")
    raw = _Raw(body, header_length)
    inputs: dict[str, NDArray] = {}
    for entry in _entries(document, "inputs"):
        spec = _known(entry, model.input_by_name, "input", inputs)
        inputs[spec.name] = _tensor(spec, entry, raw, model.batchable)
    if len(inputs) < len(model.inputs):
        missing, takes = model.input_by_name.keys() - inputs.keys(), _names(model.input_by_name)
        raise RequestError(f"missing input {_names(sorted(missing))}; model {model.name!r} takes {takes}")
    raw.end()
    return InferRequest(request_id, inputs, _requested_outputs(model, document))


def build_response(model: ModelSpec, request: InferRequest, results: Sequence[NDArray]) -> tuple[bytes, int | None]:
    """Body that answers `request` with the model's `results` (one per output), and its header length.

    The header length is None when the whole body is JSON. Raises RequestError when an output that was asked
    for as JSON cannot be written as JSON.
    """
    entries: list[dict[str, Any]] = []
    chunks: list[bytes] = []
    for index, binary in request.outputs:
        spec, result = model.outputs[index], results[index]
        entry: dict[str, Any] = {"name": spec.name, "datatype": spec.datatype, "shape": result.shape}
        if binary:
            chunks.append(tensors.to_raw(result, spec.datatype))
            entry["parameters"] = {"binary_data_size": len(chunks[-1])}
        else:
            entry["data"] = tensors.to_json(result, spec.datatype, f"output {spec.name!r}")
        entries.append(entry)
    document: dict[str, Any] = {"model_name": model.name, "model_version": VERSION, "outputs": entries}
    if request.id is not None:
        document["id"] = request.id
    header = _encode(document).encode()
    return (b"".join((header, *chunks)), len(header)) if chunks else (header, None)


class _Raw:
    """The binary part of a body, handed out from front to back."""

    def __init__(self, body: bytes, header_length: int | None) -> None:
        self._rest = None if header_length is None else memoryview(body)[header_length:]

    def take(self, size: Any, where: str) -> memoryview:
        if isinstance(size, bool) or not isinstance(size, int) or size < 0:
            raise RequestError(f"{where}: binary_data_size must be an integer >= 0, found {size!r}")
        if self._rest is None:
            raise RequestError(
                f"{where}: binary_data_size needs the header Inference-Header-Content-Length, it is missing"
            )
        if size > len(self._rest):
            raise RequestError(f"{where}: binary_data_size is {size}, but only {len(self._rest)} bytes are left")
        taken, self._rest = self._rest[:size], self._rest[size:]
        return taken

    def end(self) -> None:
        if self._rest:
            raise RequestError(f"{len(self._rest)} bytes are left over behind the binary data of all inputs")


def _json_object(text: bytes) -> dict[str, Any]:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:  # also what bytes that are not UTF-8 raise
        raise RequestError(f"the request is not valid JSON: {error}") from None
    if not isinstance(document, dict):
        raise RequestError(f"the request must be a JSON object, found {type(document).__name__}")
    return document


@lru_cache(maxsize=256)
def _json_header(text: bytes) -> dict[str, Any]:
    """The JSON part of a binary request. Most clients send the same one again and again; nobody changes it here."""
    return _json_object(text)


def _entries(document: dict[str, Any], key: str) -> list[dict[str, Any]]:
    entries = document.get(key, [])
    if not isinstance(entries, list):
        raise RequestError(f"{key} must be a list of objects, found {type(entries).__name__}")
    return entries


def _known(entry: Any, known: dict[str, Any], kind: str, seen: dict[str, Any]) -> Any:
    if not isinstance(entry, dict):
        raise RequestError(f"{kind}s must be a list of objects, found {entry!r} in it")
    name = entry.get("name")
    if not isinstance(name, str) or name not in known:
        raise RequestError(f"unknown {kind} {name!r}; the model's {kind}s are {_names(known)}")
    if name in seen:
        raise RequestError(f"{kind} {name!r} is given twice")
    return known[name]


def _tensor(spec: TensorSpec, entry: dict[str, Any], raw: _Raw, batchable: bool) -> NDArray:
    where = f"input {spec.name!r}"
    if entry.get("datatype") != spec.datatype:
        raise RequestError(f"{where}: datatype is {entry.get('datatype')!r}, expected {spec.datatype!r}")
    shape = _shape(spec, entry.get("shape"), where, batchable)
    size = _parameters(entry, where).get("binary_data_size")
    if ("data" in entry) == (size is not None):
        raise RequestError(f"{where}: give either data or parameters.binary_data_size, and not both")
    if size is None:
        return tensors.from_json(entry["data"], spec.datatype, shape, where)
    return tensors.from_raw(raw.take(size, where), spec.datatype, shape, where)


def _shape(spec: TensorSpec, found: Any, where: str, batchable: bool) -> list[int]:
    if not isinstance(found, list):
        raise RequestError(f"{where}: shape must be a list of integers, found {found!r}")
    for length in found:
        if type(length) is not int or not 0 <= length <= MAX_ELEMENTS:
            raise RequestError(f"{where}: shape must hold integers from 0 to {MAX_ELEMENTS}, found {found!r}")
    if not _fits(found, spec.shape):
        raise RequestError(f"{where}: shape is {found}, expected {spec.dimensions} (-1: any length)")
    if 0 in found:
        if batchable and found[0] == 0:
            raise RequestError(f"{where}: shape is {found}, but the first dimension counts items: at least 1")
        # Only an empty tensor can claim any size at all: every other one has to bring its elements along.
        if prod(length or 1 for length in found) > MAX_ELEMENTS:
            raise RequestError(f"{where}: shape {found} is too large, even for an empty tensor")
    return found


def _fits(found: list[int], expected: tuple[int | None, ...] | None) -> bool:
    if expected is None:
        return len(found) <= MAX_RANK
    if len(found) != len(expected):
        return False
    for length, wanted in zip(found, expected, strict=True):  # noqa: SIM110 (a generator takes twice as long)
        if wanted is not None and wanted != length:
            return False
    return True


def _requested_outputs(model: ModelSpec, document: dict[str, Any]) -> tuple[tuple[int, bool], ...]:
    binary = _flag(_parameters(document, "request"), "binary_data_output", False, "request")
    requested: dict[str, bool] = {}
    indexes: list[int] = []
    for entry in _entries(document, "outputs"):
        indexes.append(_known(entry, model.output_index, "output", requested))
        where = f"output {entry['name']!r}"
        requested[entry["name"]] = _flag(_parameters(entry, where), "binary_data", binary, where)
    if not indexes:
        return tuple([(index, binary) for index in range(len(model.outputs))])
    return tuple(zip(indexes, requested.values(), strict=True))


def _parameters(entry: dict[str, Any], where: str) -> dict[str, Any]:
    parameters = entry.get("parameters")
    if parameters is None:
        return {}
    if not isinstance(parameters, dict):
        raise RequestError(f"{where}: parameters must be an object, found {type(parameters).__name__}")
    return parameters


def _flag(parameters: dict[str, Any], key: str, default: bool, where: str) -> bool:
    value = parameters.get(key, default)
    if not isinstance(value, bool):
        raise RequestError(f"{where}: {key} must be true or false, found {value!r}")
    return value


def _names(names: Any) -> str:
    return ", ".join(repr(name) for name in names)
