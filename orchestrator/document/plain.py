"""Values of any kind as those of strict JSON. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping
from enum import Enum
from typing import Any


def to_json(value: Any) -> Any:
    """The nearest strict JSON value: `plain`, and numbers that JSON has no word for become null."""
    value = plain(value)
    if isinstance(value, dict):
        return {key: to_json(item) for key, item in value.items()}
    if isinstance(value, list):
        return [to_json(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def plain(value: Any) -> Any:
    """The nearest value made of dict, list, str, int, float, bool and None; numpy's values too."""
    if isinstance(value, Enum):
        return plain(value.value)
    if value is None or type(value) in (str, int, float, bool):
        return value
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(item) for item in value]
    if hasattr(value, "tolist"):  # numpy scalars and arrays, without asking for numpy
        return plain(value.tolist())
    return str(value)
