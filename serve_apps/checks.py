"""What a user states in `args` and `user_config`, checked. A mistake names key, value and cure. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from difflib import get_close_matches
from typing import Any

Allowed = Mapping[str, tuple[str, Callable[[Any], bool]]]
"""Key -> what may stand there, in words, and whether a value may."""


def integer(low: int, high: int) -> tuple[str, Callable[[Any], bool]]:
    """A whole number, and not true or false."""
    return f"an integer from {low} to {high}", lambda value: type(value) is int and low <= value <= high


def number(low: float, high: float) -> tuple[str, Callable[[Any], bool]]:
    """A finite number, and not true or false."""
    return f"a number from {low} to {high}", lambda value: type(value) in (int, float) and low <= value <= high


def one_of(*names: str) -> tuple[str, Callable[[Any], bool]]:
    """One of some words."""
    return listed(names), lambda value: isinstance(value, str) and value in names


def flag() -> tuple[str, Callable[[Any], bool]]:
    """True or false."""
    return "true or false", lambda value: isinstance(value, bool)


def listed(names: tuple[str, ...]) -> str:
    """ "'a' or 'b'"."""
    return " or ".join(repr(name) for name in names)


def mapping(values: Any, where: str) -> Mapping[str, Any]:
    """The values as a mapping; none are an empty one."""
    if values is None:
        return {}
    if not isinstance(values, Mapping):
        raise ValueError(f"{where} is {values!r}; it must be a mapping")
    return values


def checked(values: Any, allowed: Allowed, where: str) -> dict[str, Any]:
    """The values by key. ValueError for a key that is not known, and for a value that is not allowed."""
    stated = mapping(values, where)
    known_only(stated, tuple(allowed), where)
    for key, value in stated.items():
        words, fits = allowed[key]
        if not fits(value):
            raise ValueError(f"{where}.{key} is {value!r}; it must be {words}")
    return dict(stated)


def known_only(values: Mapping[str, Any], known: tuple[str, ...], where: str) -> None:
    """ValueError for a key that is not known, with the nearest that is."""
    for key, value in values.items():
        if key not in known:
            close = get_close_matches(str(key), known, n=1)
            hint = f" (did you mean {close[0]!r}?)" if close else ""
            raise ValueError(f"{where}.{key} is {value!r}, but there is no such key{hint}; allowed: {', '.join(known)}")


def split(args: Any, *kinds: tuple[str, ...]) -> list[dict[str, Any]]:
    """The application's `args` by the kinds of its keys, which are all that may stand there."""
    stated = mapping(args, "args")
    known_only(stated, tuple(key for kind in kinds for key in kind), "args")
    return [{key: stated[key] for key in kind if key in stated} for kind in kinds]
