"""The application's arguments and its knobs (`user_config`), checked. A mistake names key, value and cure."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from serve_apps.checks import Allowed, checked, integer, listed, number, one_of
from serve_apps.nets.store import BUNDLED, ensure_built

INLINE, EXECUTOR = "inline", "executor"


# The upper bounds only catch slips (milliseconds for seconds, a stray zero); none is a technical limit.
_KNOBS: Allowed = {
    "max_batch_size": integer(1, 4096),
    "batch_wait_timeout_s": number(0, 10),
    "compute": one_of(INLINE, EXECUTOR),
    "max_concurrent_batches": integer(1, 64),
    "intra_op_threads": integer(1, 256),
}


@dataclass(frozen=True)
class Settings:
    """The knobs that can be changed while the application runs; a key that is left out has its default."""

    max_batch_size: int = 1  # requests
    batch_wait_timeout_s: float = 0.0  # how long the first request of a batch waits for company
    compute: str = INLINE  # on the replica's event loop, or in threads beside it
    max_concurrent_batches: int = 1  # with `executor`: batches at work at the same time
    intra_op_threads: int | None = None  # of the engine within one batch; those of `args.threads`, or one

    @property
    def concurrent_batches(self) -> int:
        """Batches that can really run at the same time: computing inline holds the event loop, so one."""
        return self.max_concurrent_batches if self.compute == EXECUTOR else 1

    @classmethod
    def from_user_config(cls, user_config: Any) -> Settings:
        """The settings in a deployment's `user_config`. Raises ValueError for what is not allowed."""
        return cls(**checked(user_config, _KNOBS, "user_config"))


@dataclass(frozen=True)
class Source:
    """Where a model comes from: a bundled one by name, or a file."""

    name: str
    file: Path | None

    @classmethod
    def from_args(cls, args: Any, bundled: tuple[str, ...] = BUNDLED, own: bool = True) -> Source:
        """The model in `args`, one of those `bundled`, or if `own` a file. ValueError for anything else."""
        values = checked(args, {"model": ("", lambda _: True)}, "args")
        model = values.get("model", bundled[0])
        if model in bundled:
            return cls(model, None)
        if not own or not isinstance(model, str) or not model.endswith(".onnx"):
            or_file = " or a path to an .onnx file" if own else ""
            raise ValueError(f"args.model is {model!r}; it must be {listed(bundled)}{or_file}")
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
        return cls(**checked(args, {"length_limit": integer(1, 1000)}, "args"))
