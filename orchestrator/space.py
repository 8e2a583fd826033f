"""The space of a search: knobs by path, some of them only active in one branch of a condition. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from numpy.random import Generator
from pydantic import ValidationError, model_validator

from orchestrator.knob import (
    Choice,
    Listed,
    LogRandInt,
    LogUniform,
    QUniform,
    RandInt,
    Uniform,
    Value,
    check_distinct,
)
from orchestrator.plain import found, text
from orchestrator.result import Configuration
from orchestrator.validation import unknown


class Branch(Value):
    """One value of a condition, and the knobs that are active only while the condition has this value."""

    value: Any
    space: Space


class Condition(Listed):
    """A choice whose values bring knobs of their own."""

    kind = "condition"
    branches: tuple[Branch, ...]

    @model_validator(mode="after")
    def _check(self) -> Condition:
        check_distinct(self.kind, self.listed())
        return self

    def listed(self) -> Sequence[Any]:
        """The values of the branches."""
        return tuple(branch.value for branch in self.branches)

    @property
    def ordinal(self) -> bool:
        """Never: the branches differ in more than one number."""
        return False

    @property
    def size(self) -> int | None:
        """Number of configurations of all branches together; None when one has no end of them."""
        sizes = [branch.space.size() for branch in self.branches]
        return None if None in sizes else sum(sizes)  # type: ignore[arg-type]


Knob = Choice | Uniform | LogUniform | QUniform | RandInt | LogRandInt | Condition


class Coordinate(NamedTuple):
    """An active knob; `label` is unique in the whole space, `path` only within one configuration."""

    label: str
    path: str
    knob: Knob


class KnobRow(NamedTuple):
    """One line of the table that shows a space."""

    path: str
    kind: str
    range: str
    condition: str  # empty when the knob is always active


class Space(Value):
    """Knobs by their path into the Serve config, in the order of the file."""

    knobs: Mapping[str, Knob]

    @model_validator(mode="after")
    def _check(self) -> Space:
        taken: list[str] = []
        for path, knob in self.knobs.items():
            # the branches of one condition may share paths: only one of them is ever active
            inner = [p for b in knob.branches for p in b.space.paths()] if isinstance(knob, Condition) else []
            for new in (path, *dict.fromkeys(inner)):
                _check_free(new, [*taken, path] if new in inner else taken)
            taken += [path, *inner]
        return self

    def size(self) -> int | None:
        """Number of distinct configurations; None when a knob has no end of values."""
        product = 1
        for knob in self.knobs.values():
            if knob.size is None:
                return None
            product *= knob.size
        return product

    def configure(self, unit: Callable[[str], float], prefix: str = "") -> Configuration:
        """The configuration at the unit coordinates that `unit` gives for the labels of its active knobs."""
        values: dict[str, Any] = {}
        for path, knob in self.knobs.items():
            values[path] = knob.decode(unit(prefix + path))
            if isinstance(knob, Condition):
                index = knob.index(values[path])
                values.update(knob.branches[index].space.configure(unit, branch_prefix(prefix + path, index)))
        return values

    def sample(self, rng: Generator) -> Configuration:
        """A random configuration: one draw for each active knob, in order."""
        return self.configure(lambda _label: float(rng.random()))

    def active(self, configuration: Configuration, prefix: str = "") -> Iterator[Coordinate]:
        """The knobs that are active in `configuration`, by what it says about the conditions."""
        for path, knob in self.knobs.items():
            yield Coordinate(prefix + path, path, knob)
            if isinstance(knob, Condition) and path in configuration and knob.contains(configuration[path]):
                index = knob.index(configuration[path])
                yield from knob.branches[index].space.active(configuration, branch_prefix(prefix + path, index))

    def contains(self, configuration: Configuration) -> bool:
        """Whether `configuration` sets exactly the active knobs, each within its range."""
        active = {coordinate.path: coordinate.knob for coordinate in self.active(configuration)}
        return active.keys() == configuration.keys() and all(
            knob.contains(configuration[path]) for path, knob in active.items()
        )

    def paths(self) -> tuple[str, ...]:
        """Every path that a configuration can set, those in branches included, without repeats."""
        return tuple(dict.fromkeys(row.path for row in self.describe()))

    def describe(self, condition: str = "") -> tuple[KnobRow, ...]:
        """The space as a table; a branch's knobs follow their condition."""
        rows: list[KnobRow] = []
        for path, knob in self.knobs.items():
            rows.append(KnobRow(path, knob.kind, knob.range_text(), condition))
            if isinstance(knob, Condition):
                for branch in knob.branches:
                    here = f"{path} = {text(branch.value)}"
                    rows += branch.space.describe(f"{condition} and {here}" if condition else here)
        return tuple(rows)


def branch_prefix(label: str, index: int) -> str:
    """What the labels of the knobs in branch `index` of the condition `label` start with."""
    return f"{label}[{index}]/"


def parse_knob(raw: object) -> Knob:
    """The knob that a YAML value such as `{randint: [1, 4]}` stands for; ValueError says what is wrong."""
    if not isinstance(raw, Mapping) or len(raw) != 1:
        raise ValueError(f"found {found(raw)}, but a knob is one kind with its range, such as {{randint: [1, 4]}}")
    ((kind, value),) = raw.items()
    if kind not in KINDS:
        raise ValueError(unknown("kind of knob", kind, KINDS))
    try:
        if kind == Condition.kind:
            return _condition(value)
        return Choice(values=_items(kind, value)) if kind == Choice.kind else _range(_RANGES[kind], value)
    except ValidationError as error:
        raise ValueError(_sentence(error)) from None


_RANGES: dict[str, type[Uniform | LogUniform | QUniform | RandInt | LogRandInt]] = {
    model.kind: model for model in (Uniform, LogUniform, QUniform, RandInt, LogRandInt)
}
KINDS = (Choice.kind, *_RANGES, Condition.kind)
"""The names of the kinds of knobs, as they stand in YAML."""


def _range(model: type[Any], value: object) -> Knob:
    names = tuple(model.model_fields)
    numbers = _items(model.kind, value)
    if len(numbers) != len(names):
        raise ValueError(f"{model.kind} takes [{', '.join(names)}]; found {found(value)}")
    return model(**dict(zip(names, numbers, strict=True)))


def _items(kind: str, value: object) -> tuple[Any, ...]:
    if not isinstance(value, (list, tuple)):
        raise ValueError(f"{kind} takes a list; found {found(value)}")
    return tuple(value)


def _condition(value: object) -> Condition:
    if not isinstance(value, Mapping):
        raise ValueError(f"condition takes a mapping of values to their knobs; found {found(value)}")
    return Condition(branches=tuple(_branch(key, knobs) for key, knobs in value.items()))


def _branch(value: object, raw: object) -> Branch:
    if not isinstance(raw, (Mapping, type(None))):
        raise ValueError(f"branch {text(value)} takes a mapping of paths to knobs; found {found(raw)}")
    knobs: dict[str, Knob] = {}
    for path, knob in (raw or {}).items():
        if not isinstance(path, str):
            raise ValueError(f"branch {text(value)}: {found(path)} is not a path into the Serve config")
        try:
            knobs[path] = parse_knob(knob)
        except ValueError as error:
            raise ValueError(f"branch {text(value)}: {path}: {error}") from None
    return Branch(value=value, space=Space(knobs=knobs))


def _check_free(path: str, taken: Sequence[str]) -> None:
    for other in taken:
        if path == other:
            raise ValueError(f"{path} stands in two places that are active at the same time")
        if path.startswith(f"{other}.") or other.startswith(f"{path}."):
            inner, outer = sorted((path, other), key=len, reverse=True)
            raise ValueError(f"{inner} is a part of {outer}, which is set as a whole at the same time")


def _sentence(error: ValidationError) -> str:
    """Our own words: pydantic wraps the ValueError of a validator."""
    first = error.errors()[0]
    return str(first["ctx"]["error"]) if "error" in first.get("ctx", {}) else str(first["msg"])
