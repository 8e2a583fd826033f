"""How long a model takes for batches that lie in memory: a step is one batch.

No torch is imported on ONNX Runtime, so that the cold start and the memory are those of the engine.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from serve_apps.checks import Allowed, checked, integer, one_of
from serve_apps.nets.store import BUNDLED, ENCODERS, ensure_built
from serve_apps.offline.engines import ENGINES, ONNXRUNTIME, Engine, all_cores, opened

# The upper bounds only catch slips; none is a technical limit.
_ALLOWED: Allowed = {
    "model": one_of(*BUNDLED, *ENCODERS),
    "engine": one_of(*ENGINES),
    "batch_size": integer(1, 65_536),
    "length": integer(1, 512),
    "threads": integer(1, 256),
}


@dataclass(frozen=True)
class Chosen:
    """The job's arguments."""

    model: str = "resnet18"
    engine: str = ONNXRUNTIME
    batch_size: int = 1  # items
    length: int = 32  # tokens of a text; pictures have the size that the model takes
    threads: int = field(default_factory=all_cores)

    @classmethod
    def from_args(cls, args: Any) -> Chosen:
        """The same from the file's. Raises ValueError for anything that is not allowed."""
        return cls(**checked(args, _ALLOWED, "args"))


class Profile:
    """Runs one batch again and again; see docs/offline.md."""

    def __init__(self, engine: Engine, batch_size: int, length: int) -> None:
        self._engine = engine
        self._items = batch_size
        self._batch = engine.batch(batch_size, length)

    def step(self) -> dict[str, Any]:
        """One batch through the model."""
        started = time.perf_counter()
        self._engine.run(self._batch)
        return {"items": self._items, "parts": {"inference_ms": (time.perf_counter() - started) * 1e3}}


def prepare(args: Mapping[str, Any]) -> None:
    """Exports the model, unless that was done before."""
    chosen = Chosen.from_args(args)
    if chosen.engine == ONNXRUNTIME:
        ensure_built(chosen.model)


def build(args: Mapping[str, Any]) -> Profile:
    """The job. ValueError for an argument that is not allowed."""
    chosen = Chosen.from_args(args)
    return Profile(opened(chosen.model, chosen.engine, chosen.threads), chosen.batch_size, chosen.length)
