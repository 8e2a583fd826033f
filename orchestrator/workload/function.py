"""Payloads from a user's own function."""

from __future__ import annotations

import importlib
import inspect
import sys
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from orchestrator.errors import PayloadError
from orchestrator.load.endpoint import Payload
from orchestrator.workload.plan import DEFAULT_ENCODING, Encoding, Source

_KEYS = ("path", "body", "headers", "method")


def call(
    source: Source, base_dir: Path, items_per_request: int, encoding: Encoding = DEFAULT_ENCODING
) -> tuple[Payload, ...]:
    """What `source.payloads`, a "module:function", returns when called with `seed`.

    A function that has a parameter `items_per_request` is told how many items each payload has to hold; without
    one, it can only be 1. One that has a parameter `data` is told the workload's directory or file, or None; one that
    has a parameter `encoding` how to write tensors, and no other can be asked to write JSON. It has to return a list of
    dicts, at least one: `body` (bytes), and if need be `path`, `headers` (of strings) and `method`. The module may also
    lie in `base_dir` or the working directory.
    PayloadError names the function, and the entry that is wrong.
    """
    name = source.payloads or ""
    with _importable(base_dir, Path.cwd()):
        function = _find(name)
        arguments: dict[str, Any] = {"seed": source.seed}
        takes = _parameters(function)
        if "data" in takes:
            arguments["data"] = _place(source, base_dir)
        elif source.data is not None:
            raise PayloadError(f"{name} has no parameter data: leave workload.data out")
        if "items_per_request" in takes:
            arguments["items_per_request"] = items_per_request
        elif items_per_request != 1:
            raise PayloadError(
                f"{name} has no parameter items_per_request, so that load.items_per_request has to be 1, "
                f"not {items_per_request}"
            )
        if "encoding" in takes:
            arguments["encoding"] = encoding
        elif encoding != DEFAULT_ENCODING:
            raise PayloadError(f"{name} has no parameter encoding: leave workload.encoding out, not {encoding}")
        try:
            entries = function(**arguments)
        except Exception as error:
            called = ", ".join(f"{key}={value}" for key, value in arguments.items())
            raise PayloadError(f"{name}({called}) raised {type(error).__name__}: {error}") from error
    if not isinstance(entries, (list, tuple)) or not entries:
        found = "an empty list" if isinstance(entries, (list, tuple)) else f"a {type(entries).__name__}"
        raise PayloadError(f"{name} has to return a list of payloads with at least one; it returned {found}")
    return tuple(_payload(f"{name}: payload {index}", entry, source) for index, entry in enumerate(entries))


def takes_data(name: str, base_dir: Path) -> bool:
    """Whether the function "module:function" can be told of a data set; PayloadError if it cannot be imported."""
    with _importable(base_dir, Path.cwd()):
        return "data" in _parameters(_find(name))


def _parameters(function: Callable[..., Any]) -> Collection[str]:
    try:
        return inspect.signature(function).parameters
    except (TypeError, ValueError):  # some functions written in C do not tell
        return ()


def _place(source: Source, base_dir: Path) -> Path | None:
    if source.data is None:
        return None
    place = (base_dir / Path(source.data).expanduser()).absolute()
    if not place.exists():
        raise PayloadError(f"workload.data is {source.data!r}, but there is no such directory or file ({place})")
    return place


def _find(name: str) -> Callable[..., Any]:
    module_name, _, function_name = name.partition(":")
    try:
        module = importlib.import_module(module_name)
    except Exception as error:  # whatever the user's module raises while it is imported
        what = str(error) or type(error).__name__
        raise PayloadError(f"cannot import {module_name}: {what}") from error
    function = getattr(module, function_name, None)
    if not callable(function):
        raise PayloadError(f"{module_name} has no function {function_name!r}")
    return function


@contextmanager
def _importable(*directories: Path) -> Iterator[None]:
    """Searched last, so that a file there hides no installed module."""
    before = list(sys.path)
    sys.path.extend(str(directory) for directory in directories)
    try:
        yield
    finally:
        sys.path[:] = before


def _payload(where: str, entry: Any, source: Source) -> Payload:
    if not isinstance(entry, Mapping):
        raise PayloadError(f"{where} is a {type(entry).__name__}, not a dict with {', '.join(_KEYS)}")
    unknown = [key for key in entry if key not in _KEYS]
    if unknown:
        raise PayloadError(f"{where} has the unknown key {unknown[0]!r}; allowed: {', '.join(_KEYS)}")
    body, headers = entry.get("body"), entry.get("headers", {})
    path = entry.get("path", source.path or "/")
    method = entry.get("method", source.method)
    if not isinstance(body, (bytes, bytearray)):
        raise PayloadError(f"{where}: 'body' has to be bytes, not {type(body).__name__}")
    if not isinstance(path, str) or not path.startswith("/"):
        raise PayloadError(f"{where}: 'path' has to be a string that begins with '/', not {path!r}")
    if not isinstance(method, str):
        raise PayloadError(f"{where}: 'method' has to be a string, not {method!r}")
    if not isinstance(headers, Mapping) or not all(isinstance(x, str) for pair in headers.items() for x in pair):
        raise PayloadError(f"{where}: 'headers' has to be a dict of strings, not {headers!r}")
    return Payload(bytes(body), path, method.upper(), {**source.headers, **headers})
