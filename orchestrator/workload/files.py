"""Payloads from files: rows of tensors (.npz) or of JSON (.jsonl)."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from orchestrator.errors import PayloadError


def tensor_groups(file: Path, size: int) -> list[dict[str, NDArray]]:
    """The items of a .npz, `size` after one another in each {input name: array of shape (size, …)}.

    The first axis of the file's arrays counts the items; the last group is filled up from the beginning.
    PayloadError when it is no .npz, holds Python objects, or its arrays differ in length.
    """
    try:
        with np.load(file, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
    except OSError as error:
        raise PayloadError(f"{file}: {error.strerror or error}") from error
    except (ValueError, EOFError, zipfile.BadZipFile, AttributeError, TypeError) as error:
        # A lone array (.npy) has no `files`; a pickle is refused with a ValueError.
        raise PayloadError(f"{file} is not a .npz of plain arrays: {error}") from error
    lengths = {name: array.shape[0] if array.ndim else None for name, array in arrays.items()}
    if len(set(lengths.values())) != 1 or None in lengths.values() or 0 in lengths.values():
        raise PayloadError(
            f"{file}: every array needs the same number of items, at least 1, along its first axis; "
            f"found {lengths or 'no array'}"
        )
    rows = groups(next(iter(lengths.values())) or 0, size)
    return [{name: array[group] for name, array in arrays.items()} for group in rows]


def json_groups(file: Path, size: int) -> list[bytes]:
    """The lines of a .jsonl, blank ones left out: as they stand, or `size` after one another as a JSON array.

    The last group is filled up from the beginning. PayloadError names a line that is not JSON.
    """
    try:
        lines = list(_checked(file, file.read_bytes()))
    except OSError as error:
        raise PayloadError(f"{file}: {error.strerror or error}") from error
    if not lines:
        raise PayloadError(f"{file} has no lines")
    if size == 1:
        return lines
    return [b"[" + b", ".join(lines[line] for line in group) + b"]" for group in groups(len(lines), size)]


def groups(count: int, size: int) -> list[list[int]]:
    """The indices 0 … count - 1 in rows of `size`, begun again to fill the last row."""
    return [[index % count for index in range(start, start + size)] for start in range(0, count, size)]


def _checked(file: Path, content: bytes) -> Iterator[bytes]:
    for number, line in enumerate(content.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            json.loads(line)
        except ValueError as error:
            raise PayloadError(f"{file}, line {number}: not JSON: {error}") from error
        yield line.strip()
