"""Lengths of a model's free axes: one number, or a distribution to draw them from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from orchestrator.knob import Choice
from orchestrator.plain import is_number
from orchestrator.space import Knob, parse_knob
from orchestrator.validation import show, unknown

KINDS = ("randint", "lograndint", "choice")


@dataclass(frozen=True)
class Sizes:
    """A distribution of lengths, in the words of knobs; a choice may have `weights`, one for each of its values."""

    knob: Knob
    weights: tuple[float, ...] | None = None

    def draw(self, rng: np.random.Generator) -> int:
        """One length, at least 1."""
        unit = float(rng.random())
        if self.weights is None or not isinstance(self.knob, Choice):
            return int(self.knob.decode(unit))
        ends = np.cumsum(self.weights)
        return int(self.knob.values[int(np.searchsorted(ends / ends[-1], unit, side="right"))])


def parse_size(raw: object) -> int | Sizes:
    """The value of `dynamic_dim`: 16, {lograndint: [8, 512]} or {choice: [16, 64], weights: [3, 1]}.

    ValueError says what is wrong.
    """
    if isinstance(raw, Sizes):
        return raw
    if isinstance(raw, Mapping):
        return _distribution(raw)
    if isinstance(raw, int) and not isinstance(raw, bool) and raw >= 1:
        return raw
    example = "a distribution such as {randint: [8, 128]}"
    raise ValueError(f"expected a whole number of at least 1 or {example}, found {show(raw)}")


def _distribution(raw: Mapping[Any, Any]) -> Sizes:
    kinds = [key for key in raw if key != "weights"]
    for kind in kinds:
        if kind not in KINDS:
            raise ValueError(unknown("kind of distribution", kind, KINDS))
    if len(kinds) != 1:
        raise ValueError(f"a distribution is one of {', '.join(KINDS)}; found {show(raw)}")
    knob = parse_knob({kinds[0]: raw[kinds[0]]})
    for length in knob.values if isinstance(knob, Choice) else (knob.decode(0.0),):
        if not is_number(length) or not isinstance(length, int) or length < 1:
            raise ValueError(f"lengths are whole numbers of at least 1, found {show(length)}")
    return Sizes(knob, _weights(raw["weights"], knob) if "weights" in raw else None)


def _weights(raw: Any, knob: Knob) -> tuple[float, ...]:
    if not isinstance(knob, Choice):
        raise ValueError(f"weights go with a choice, not with {knob.kind}")
    if not isinstance(raw, (list, tuple)) or len(raw) != len(knob.values):
        raise ValueError(f"weights are a list of {len(knob.values)} numbers, one for each value; found {show(raw)}")
    for weight in raw:
        if not is_number(weight) or weight <= 0:
            raise ValueError(f"a weight is a number above 0, found {show(weight)}")
    return tuple(map(float, raw))
