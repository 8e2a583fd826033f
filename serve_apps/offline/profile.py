"""How long a model takes for batches that lie in memory: a step is one batch.

Only the engine that computes is imported, so that the cold start and the memory are its own.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from serve_apps.checks import Allowed, checked, integer, one_of, split
from serve_apps.engine import Model
from serve_apps.nets.store import BUNDLED, ENCODERS
from serve_apps.offline.models import KEYS, make, opened, random_batch, report, variant_of
from serve_apps.variant import Variant

# The upper bounds only catch slips; none is a technical limit.
_ALLOWED: Allowed = {
    "model": one_of(*BUNDLED, *ENCODERS),
    "batch_size": integer(1, 65_536),
    "length": integer(1, 512),
}


@dataclass(frozen=True)
class Chosen:
    """The job's arguments."""

    variant: Variant
    model: str = "resnet18"
    batch_size: int = 1  # items
    length: int = 32  # tokens of a text; pictures have the size that the model takes

    @classmethod
    def from_args(cls, args: Any) -> Chosen:
        """The same from the file's. ValueError for what is not allowed, InfeasibleError for what cannot be."""
        own, variant = split(args, tuple(_ALLOWED), KEYS)
        return cls(variant_of(variant), **checked(own, _ALLOWED, "args"))


class Profile:
    """Runs one batch again and again; see docs/offline.md."""

    def __init__(self, model: Model, batch_size: int, length: int) -> None:
        self._model = model
        self._items = batch_size
        self._batch = random_batch(model.spec, batch_size, length)

    def step(self) -> dict[str, Any]:
        """One batch through the model."""
        started = time.perf_counter()
        self._model.run(self._batch)
        return report(self._items, {"inference_ms": (time.perf_counter() - started) * 1e3}, self._model.accuracy)


def prepare(args: Mapping[str, Any]) -> None:
    """Makes the model in its variant, unless that was done before."""
    chosen = Chosen.from_args(args)
    make(chosen.model, chosen.variant)


def build(args: Mapping[str, Any]) -> Profile:
    """The job. ValueError for an argument that is not allowed, InfeasibleError for what cannot be had."""
    chosen = Chosen.from_args(args)
    return Profile(opened(chosen.model, chosen.variant), chosen.batch_size, chosen.length)
