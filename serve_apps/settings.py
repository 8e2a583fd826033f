"""The application's arguments and its knobs (`user_config`), checked. A mistake names key, value and cure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from serve_apps.nets.store import BUNDLED, ensure_built

INLINE, EXECUTOR = "inline", "executor"


@dataclass(frozen=True)
class Settings:
    """The knobs that can be changed while the application runs; a key that is left out has its default."""

    max_batch_size: int = 1  # requests
    batch_wait_timeout_s: float = 0.0  # how long the first request of a batch waits for company
    compute: str = INLINE  # on the replica's event loop, or in threads beside it
    max_concurrent_batches: int = 1  # with `executor`: batches at work at the same time
    intra_op_threads: int = 1  # of ONNX Runtime, within one batch

    @property
    def concurrent_batches(self) -> int:
        """Batches that can really run at the same time: computing inline holds the event loop, so one."""
        return self.max_concurrent_batches if self.compute == EXECUTOR else 1

    @classmethod
    def from_user_config(cls, user_config: Any) -> Settings:
        """The settings in a deployment's `user_config`. Raises ValueError for what is not allowed."""
        values = _mapping(user_config, "user_config")
        _no_unknown(values, [field.name for field in fields(cls)], "user_config")
        for key, value in values.items():
            allowed, fits = _ALLOWED[key]
            if not fits(value):
                raise ValueError(f"user_config.{key} is {value!r}; it must be {allowed}")
        return cls(**values)


@dataclass(frozen=True)
class Source:
    """Where a model comes from: a bundled one by name, or a file."""

    name: str
    file: Path | None

    @classmethod
    def from_args(cls, args: Any) -> Source:
        """The model in the application's `args`. Raises ValueError for anything that is not allowed."""
        values = _mapping(args, "args")
        _no_unknown(values, ["model"], "args")
        model = values.get("model", BUNDLED[0])
        if model in BUNDLED:
            return cls(model, None)
        if not isinstance(model, str) or not model.endswith(".onnx"):
            raise ValueError(f"args.model is {model!r}; it must be {_listed(BUNDLED)} or a path to an .onnx file")
        file = Path(model).expanduser().absolute()
        if not file.is_file():
            raise ValueError(f"args.model is {model!r}, but there is no such file ({file})")
        return cls(file.stem, file)

    def path(self) -> Path:
        """The model's file; a bundled model that is missing is built first, which takes some seconds."""
        return self.file or ensure_built(self.name)


@dataclass(frozen=True)
class Translation:
    """The translator's arguments."""

    length_limit: int = 100  # words

    @classmethod
    def from_args(cls, args: Any) -> Translation:
        """The application's `args`. Raises ValueError for anything that is not allowed."""
        values = _mapping(args, "args")
        _no_unknown(values, [field.name for field in fields(cls)], "args")
        allowed, fits = _integer(1, 1000)
        for key, value in values.items():
            if not fits(value):
                raise ValueError(f"args.{key} is {value!r}; it must be {allowed}")
        return cls(**values)


def _integer(low: int, high: int) -> tuple[str, Callable[[Any], bool]]:
    return f"an integer from {low} to {high}", lambda value: type(value) is int and low <= value <= high


def _number(low: float, high: float) -> tuple[str, Callable[[Any], bool]]:
    return (
        f"a number from {low} to {high}",
        lambda value: type(value) in (int, float) and low <= value <= high,
    )


def _listed(names: tuple[str, ...]) -> str:
    return " or ".join(repr(name) for name in names)


def _one_of(*names: str) -> tuple[str, Callable[[Any], bool]]:
    return _listed(names), lambda value: isinstance(value, str) and value in names


# The upper bounds only catch slips (milliseconds for seconds, a stray zero); none is a technical limit.
_ALLOWED: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "max_batch_size": _integer(1, 4096),
    "batch_wait_timeout_s": _number(0, 10),
    "compute": _one_of(INLINE, EXECUTOR),
    "max_concurrent_batches": _integer(1, 64),
    "intra_op_threads": _integer(1, 256),
}


def _mapping(values: Any, where: str) -> Mapping[str, Any]:
    if values is None:
        return {}
    if not isinstance(values, Mapping):
        raise ValueError(f"{where} is {values!r}; it must be a mapping")
    return values


def _no_unknown(values: Mapping[str, Any], known: list[str], where: str) -> None:
    for key, value in values.items():
        if key not in known:
            close = get_close_matches(str(key), known, n=1)
            hint = f" (did you mean {close[0]!r}?)" if close else ""
            raise ValueError(f"{where}.{key} is {value!r}, but there is no such key{hint}; allowed: {', '.join(known)}")
