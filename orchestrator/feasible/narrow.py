"""The part of a space that can run: upper ends of its knobs, lowered to what was found to fit. Pure.

It works on the space as it stands in the file, so that what is written back differs in nothing else.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from orchestrator.plain import is_number

Place = tuple[Any, ...]
"""Keys from the top of the file down to a value."""

_RANGES = {"randint", "lograndint", "uniform", "loguniform", "quniform"}
_UNLIMITED = {"max_queued_requests": -1}
"""Options of Serve with a number that stands for no limit."""


@dataclass(frozen=True)
class Cap:
    """A knob's values should be `most` at the most, and why.

    `reach`: the smallest value that is not below `most` stays too, for it is the first that is enough.
    """

    most: float
    why: str
    reach: bool = False


@dataclass(frozen=True)
class Change:
    """What stands at `place` in the file, the values of the knob `path`, and those that are to be there."""

    place: Place
    path: str
    before: Sequence[Any]
    after: Sequence[Any]
    why: str


@dataclass(frozen=True)
class Narrowing:
    """The changes, and of knobs of which no value is left, the sentence that says so."""

    changes: tuple[Change, ...]
    impossible: tuple[str, ...]


def narrow(space: Mapping[Any, Any], caps: Mapping[str, Cap]) -> Narrowing:
    """What of the file's section `space` has to change so that no value of a knob exceeds its cap."""
    changes, impossible = [], []
    for place, path, kind, values in _knobs(space, ("space",)):
        cap = caps.get(path)
        if cap is None:
            continue
        after = _range(values, cap) if kind in _RANGES else _listed(values, cap, path)
        if not after:
            impossible.append(f"{path}: none of its values is left below {cap.most:g}: {cap.why}")
        elif list(after) != list(values):
            changes.append(Change(place, path, tuple(values), tuple(after), cap.why))
    return Narrowing(tuple(changes), tuple(impossible))


def _knobs(space: Mapping[Any, Any], above: Place) -> Iterator[tuple[Place, str, str, Sequence[Any]]]:
    """(place of its values, path, kind, values) of each knob, those below conditions too."""
    for path, knob in space.items():
        ((kind, values),) = knob.items()  # an experiment that was read has exactly one
        place = (*above, path, kind)
        if kind == "condition":
            for value, inner in values.items():
                yield from _knobs(inner or {}, (*place, value))
        else:
            yield place, str(path), kind, values


def _range(values: Sequence[Any], cap: Cap) -> Sequence[Any]:
    low, high, *rest = values
    whole = isinstance(high, int)
    most = (
        (math.ceil(cap.most) if cap.reach else math.floor(cap.most)) if whole and math.isfinite(cap.most) else cap.most
    )
    if cap.reach:
        most = max(most, low)
    return () if low > most else (low, min(high, most), *rest)


def _listed(values: Sequence[Any], cap: Cap, path: str) -> Sequence[Any]:
    unlimited = _UNLIMITED.get(path.rpartition(".")[2])

    def size(value: Any) -> float:
        if not is_number(value):
            return -math.inf  # such as `auto`: not ours to judge
        return math.inf if value == unlimited else float(value)

    enough = [size(value) for value in values if size(value) >= cap.most]
    most = min(enough, default=cap.most) if cap.reach else cap.most
    return tuple(value for value in values if size(value) <= most)
