"""Payloads from files: rows of tensors (.npz) or of JSON (.jsonl)."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from orchestrator.errors import PayloadError


def tensor_items(file: Path) -> list[dict[str, NDArray]]:
    """The items of a .npz, each {input name: array of shape (1, …)}; the first axis counts the items.

    PayloadError when it is no .npz, holds Python objects, or its arrays differ in length.
    """
    try:
        with np.load(file, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
    except OSError as error:
        raise PayloadError(f"workload.payloads: {file}: {error.strerror or error}") from error
    except (ValueError, EOFError, zipfile.BadZipFile, AttributeError, TypeError) as error:
        # A lone array (.npy) has no `files`; a pickle is refused with a ValueError.
        raise PayloadError(f"workload.payloads: {file} is not a .npz of plain arrays: {error}") from error
    lengths = {name: array.shape[0] if array.ndim else None for name, array in arrays.items()}
    if len(set(lengths.values())) != 1 or None in lengths.values() or 0 in lengths.values():
        raise PayloadError(
            f"workload.payloads: {file}: every array needs the same number of items, at least 1, along its "
            f"first axis; found {lengths or 'no array'}"
        )
    count = next(iter(lengths.values())) or 0
    return [{name: array[item : item + 1] for name, array in arrays.items()} for item in range(count)]


def json_lines(file: Path) -> list[bytes]:
    """The lines of a .jsonl as they stand, blank ones left out; PayloadError names one that is not JSON."""
    try:
        lines = list(_checked(file, file.read_bytes()))
    except OSError as error:
        raise PayloadError(f"workload.payloads: {file}: {error.strerror or error}") from error
    if not lines:
        raise PayloadError(f"workload.payloads: {file} has no lines")
    return lines


def _checked(file: Path, content: bytes) -> Iterator[bytes]:
    for number, line in enumerate(content.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            json.loads(line)
        except ValueError as error:
            raise PayloadError(f"workload.payloads: {file}, line {number}: not JSON: {error}") from error
        yield line.strip()
