"""Errors that say where in the experiment file their cause stands."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from orchestrator.errors import PayloadError


@contextmanager
def told_at(place: str) -> Iterator[None]:
    """Puts `place` (`workload.mix[1].payloads`) before the message of a PayloadError."""
    try:
        yield
    except PayloadError as error:
        raise PayloadError(f"{place}: {error}") from error
