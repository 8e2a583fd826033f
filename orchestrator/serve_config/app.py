"""The parts of an app."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def plain(value: Any) -> Any:
    """A deep copy made of dicts, lists and scalars, whatever kinds of mapping and sequence came in."""
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value


def deployments(app: Mapping[str, Any]) -> list[Any]:
    """The entries of `deployments` that are well-formed enough to be found by name."""
    listed = app.get("deployments")
    entries = listed if isinstance(listed, (list, tuple)) else ()
    return [entry for entry in entries if isinstance(entry, Mapping) and isinstance(entry.get("name"), str)]
