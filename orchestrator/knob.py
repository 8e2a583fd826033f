"""Knobs: what one value of a Serve config may be, and how it maps to a unit coordinate in [0, 1]. Pure.

Searchers only ever see unit coordinates, so no library can leave a range or read its bounds differently:
bounds are always inclusive. Values are plain Python, as they stand in a Serve config.
"""

from __future__ import annotations

import copy
import math
from abc import abstractmethod
from collections.abc import Sequence
from decimal import Decimal
from functools import cached_property
from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationInfo, model_validator

from orchestrator.plain import check_plain, found, identity, is_number, text

MOST_STEPS = 10_000
"""The longest grid; a finer one is `uniform` in all but name."""


def _number(value: object, field: ValidationInfo) -> object:
    if not is_number(value):
        raise ValueError(f"{field.field_name} is {found(value)}, which is not a finite number")
    return value


def _whole(value: object, field: ValidationInfo) -> object:
    if not is_number(value) or not isinstance(value, int):
        raise ValueError(f"{field.field_name} is {found(value)}, which is not a whole number")
    return value


Number = Annotated[int | float, BeforeValidator(_number)]
Whole = Annotated[int, BeforeValidator(_whole)]


class Value(BaseModel):
    """A frozen value that refuses unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class _Range(Value):
    """Numbers from `low` to `high`, both included; a range may hold a single number.

    Whole numbers get one share of [0, 1] each, in proportion to the length of [n, n + 1) on the knob's scale:
    equal shares on a linear scale, log((n + 1) / n) on a logarithmic one.
    """

    kind: ClassVar[str]
    logarithmic: ClassVar[bool] = False
    whole: ClassVar[bool] = False
    low: Number
    high: Number

    @model_validator(mode="after")
    def _check(self) -> _Range:
        _check_order(self.low, self.high)
        if self.logarithmic and self.low <= 0:
            raise ValueError(f"low is {self.low}, but a logarithmic range starts {'at 1' if self.whole else 'above 0'}")
        return self

    @property
    def ordinal(self) -> bool:
        """Neighbouring coordinates give neighbouring values."""
        return True

    @property
    def size(self) -> int | None:
        """Number of values; None when there is no end of them."""
        if self.whole:
            return int(self.high - self.low) + 1
        return 1 if self.low == self.high else None

    def contains(self, value: Any) -> bool:
        """Whether `value` is a number of this range."""
        return is_number(value) and self.low <= value <= self.high and not (self.whole and value != int(value))

    def decode(self, unit: float) -> int | float:
        """The value at `unit`: exactly `low` at 0 (and below), `high` at 1 (and above)."""
        if unit <= 0 or unit >= 1:
            value = self.low if unit <= 0 else self.high  # rounding may not move the ends
        else:
            start, end = self._ends
            value = self._unscaled((1 - unit) * start + unit * end)
            value = min(max(math.floor(value) if self.whole else value, self.low), self.high)
        return value if self.whole else float(value)

    def encode(self, value: float) -> float:
        """The coordinate of a contained value; of a whole number, the middle of its share."""
        start, end = self._ends
        middle = (self._scaled(value) + self._scaled(value + 1)) / 2 if self.whole else self._scaled(value)
        return (middle - start) / (end - start) if end > start else 0.0

    def range_text(self) -> str:
        """The range as a reader would write it."""
        return f"{self.low} … {self.high}"

    @cached_property
    def _ends(self) -> tuple[float, float]:
        return self._scaled(self.low), self._scaled(self.high + 1 if self.whole else self.high)

    def _scaled(self, value: float) -> float:
        return math.log(value) if self.logarithmic else value

    def _unscaled(self, value: float) -> float:
        return math.exp(value) if self.logarithmic else value


class Uniform(_Range):
    """Real numbers, every stretch of the same length equally likely."""

    kind = "uniform"


class LogUniform(_Range):
    """Real numbers above 0, every doubling equally likely."""

    kind = "loguniform"
    logarithmic = True


class RandInt(_Range):
    """Whole numbers, all equally likely."""

    kind = "randint"
    whole = True
    low: Whole
    high: Whole


class LogRandInt(_Range):
    """Whole numbers from 1 up, every doubling equally likely."""

    kind = "lograndint"
    logarithmic = True
    whole = True
    low: Whole
    high: Whole


class Listed(Value):
    """Values with an index; each has the same share of [0, 1] and encodes to the middle of it."""

    kind: ClassVar[str]

    @abstractmethod
    def listed(self) -> Sequence[Any]:
        """The values, in the order of their shares."""

    @property
    def ordinal(self) -> bool:
        """Neighbouring coordinates give neighbours: the values are numbers that only rise or only fall."""
        values = list(self.listed())
        return all(map(is_number, values)) and values in (sorted(values), sorted(values, reverse=True))

    @property
    def size(self) -> int | None:
        """Number of values."""
        return len(self.listed())

    def contains(self, value: object) -> bool:
        """Whether `value` is one of the values."""
        return identity(value) in self._indices

    def index(self, value: object) -> int:
        """The place of a contained value in the list."""
        return self._indices[identity(value)]

    def decode(self, unit: float) -> Any:
        """The value at `unit`: the first at 0 (and below), the last at 1 (and above)."""
        values = self.listed()
        # a copy, so that a list changed by the caller is not our list
        return copy.deepcopy(values[min(max(int(unit * len(values)), 0), len(values) - 1)])

    def encode(self, value: object) -> float:
        """The coordinate of a contained value: the middle of its share."""
        return (self.index(value) + 0.5) / len(self.listed())

    def range_text(self) -> str:
        """The values as a reader would write them."""
        return ", ".join(text(value) for value in self.listed())

    @cached_property
    def _indices(self) -> dict[str, int]:
        return {identity(value): index for index, value in enumerate(self.listed())}


class Choice(Listed):
    """Values of any kind; lists and mappings too."""

    kind = "choice"
    values: tuple[Any, ...]

    @model_validator(mode="after")
    def _check(self) -> Choice:
        check_distinct(self.kind, self.values)
        return self

    def listed(self) -> Sequence[Any]:
        """The values as given."""
        return self.values


class QUniform(Listed):
    """The grid low, low + step, … up to high; whole numbers when low and step are."""

    kind = "quniform"
    low: Number
    high: Number
    step: Number

    @model_validator(mode="after")
    def _check(self) -> QUniform:
        _check_order(self.low, self.high)
        if self.step <= 0:
            raise ValueError(f"step is {self.step}, but a step is above 0")
        if (self.high - self.low) / self.step > MOST_STEPS:
            raise ValueError(f"step {self.step} cuts {self.range_text()} into more than {MOST_STEPS:,}: use uniform")
        return self

    def listed(self) -> Sequence[int | float]:
        """The values of the grid."""
        return self._grid

    def range_text(self) -> str:
        """Bounds and step."""
        return f"{self.low} … {self.high} by {self.step}"

    @cached_property
    def _grid(self) -> tuple[int | float, ...]:
        # decimals, because 0.1 + 2 × 0.1 is not 0.3 in binary
        low, high, step = (Decimal(str(number)) for number in (self.low, self.high, self.step))
        number = int if isinstance(self.low, int) and isinstance(self.step, int) else float
        return tuple(number(low + index * step) for index in range(int((high - low) // step) + 1))


def check_distinct(kind: str, values: Sequence[object]) -> None:
    """Raise ValueError unless `values` are plain, at least one, and all different."""
    if not values:
        raise ValueError(f"{kind} is empty")
    seen: set[str] = set()
    for value in values:
        check_plain(kind, value)
        if identity(value) in seen:
            raise ValueError(f"{kind} has {found(value)} twice")
        seen.add(identity(value))


def _check_order(low: float, high: float) -> None:
    if low > high:
        raise ValueError(f"low {low} is above high {high}")
