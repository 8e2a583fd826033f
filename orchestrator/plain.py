"""The plain values of YAML: numbers, texts, true, false, null, lists and mappings. Pure."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping


def text(value: object) -> str:
    """`value` as it would stand in YAML; a text without its quotes, as names are shown in tables."""
    return value if isinstance(value, str) else found(value)


def found(value: object) -> str:
    """`value` for an error message: like `text`, but a text has quotes, which tells "5" from 5."""
    return json.dumps(value, default=str, ensure_ascii=False)


def identity(value: object) -> str:
    """A text that equal values share and no others: 1 equals 1.0 but not true, and mappings have no order."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(sorted(f"{identity(k)}: {identity(v)}" for k, v in value.items())) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(identity(item) for item in value) + "]"
    return repr(int(value)) if isinstance(value, float) and value.is_integer() else repr(value)


def is_number(value: object) -> bool:
    """Whether `value` is an int or float that is finite as a float; a bool is not a number."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    return abs(value) <= sys.float_info.max


def check_plain(owner: str, value: object) -> None:
    """Raise ValueError, in the name of `owner`, if `value` or a part of it is not plain (a date, NaN)."""
    if isinstance(value, Mapping):
        parts: list[object] = [*value.keys(), *value.values()]
    elif isinstance(value, (list, tuple)):
        parts = list(value)
    elif value is None or isinstance(value, (bool, str)) or is_number(value):
        parts = []
    else:
        kind = type(value).__name__
        raise ValueError(f"{owner} has {value} ({kind}), but takes only numbers, texts, true, false and null")
    for part in parts:
        check_plain(owner, part)


_DURATION = re.compile(r"(?:(\d+(?:\.\d+)?)h)?(?:(\d+(?:\.\d+)?)m)?(?:(\d+(?:\.\d+)?)s)?")


def seconds(value: object) -> float:
    """A duration such as `90s`, `10m` or `1h30m`, or a number of seconds; ValueError for anything else, and for 0."""
    if isinstance(value, str) and value and (parts := _DURATION.fullmatch(value.replace(" ", ""))):
        total = sum(float(part or 0) * unit for part, unit in zip(parts.groups(), (3600, 60, 1), strict=True))
    else:
        total = float(value) if is_number(value) else 0.0  # type: ignore[arg-type]
    if total <= 0:
        raise ValueError(f"found {found(value)}, but takes a duration such as 90s, 10m or 1h30m")
    return total
