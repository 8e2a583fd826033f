"""How long a model takes for batches that lie in memory: a step is one batch.

No torch is imported on ONNX Runtime, so that the cold start and the memory are those of the engine.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from serve_apps.nets.store import ensure_built
from serve_apps.offline.engines import ONNXRUNTIME, Engine, opened
from serve_apps.settings import Profiling


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
    chosen = Profiling.from_args(args)
    if chosen.engine == ONNXRUNTIME:
        ensure_built(chosen.model)


def build(args: Mapping[str, Any]) -> Profile:
    """The job. ValueError for an argument that is not allowed."""
    chosen = Profiling.from_args(args)
    return Profile(opened(chosen.model, chosen.engine, chosen.threads), chosen.batch_size, chosen.length)
