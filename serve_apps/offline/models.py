"""A bundled model in the variant that a job asks for, and what a job tells of it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from serve_apps.batches import Inputs
from serve_apps.engine import Model, made, open_model
from serve_apps.model_spec import ModelSpec, TensorSpec
from serve_apps.settings import Source
from serve_apps.tensors import DTYPES
from serve_apps.variant import Variant

KEYS = ("precision", "engine", "threads")
"""Of a variant, what a job takes: cores of their own are for replicas, and its data is what the job says."""

WORDS = 30_000
"""Tokens are drawn below this number; every encoder has that many."""


def variant_of(args: Any) -> Variant:
    """Of a job's arguments with `KEYS`; it may use all cores, unless they or the environment say otherwise."""
    asked = Variant.from_args(args)
    return replace(asked, threads=asked.threads or int(os.environ.get("OMP_NUM_THREADS") or os.cpu_count() or 1))


def make(model: str, variant: Variant) -> None:
    """What is made once and kept: the bundled model, and its variant. InfeasibleError where it could not run."""
    made(Source(model, None), variant)


def opened(model: str, variant: Variant) -> Model:
    """The bundled model in that variant."""
    return open_model(Source(model, None), variant, variant.within_batch(None))


def random_batch(spec: ModelSpec, size: int, length: int, seed: int = 0) -> Inputs:
    """Random items by name of the input, without any padding; `length` is that of texts."""
    rng = np.random.default_rng(seed)
    return {
        one.name: _drawn(one, (size, *(side or length for side in (one.shape or ())[1:])), rng) for one in spec.inputs
    }


def report(items: int, parts: Mapping[str, float], accuracy: float | None) -> dict[str, Any]:
    """What a step returns: `parts` in milliseconds, and how accurate the model's variant is, where that is known."""
    told = {} if accuracy is None else {"accuracy": accuracy}
    return {"items": items, "parts": dict(parts), **told}


def _drawn(one: TensorSpec, shape: tuple[int, ...], rng: np.random.Generator) -> NDArray:
    kind = DTYPES[one.datatype]
    if np.issubdtype(kind, np.floating):
        return rng.random(shape, dtype=np.float32).astype(kind, copy=False)
    if "mask" in one.name:
        return np.ones(shape, kind)
    return rng.integers(0, WORDS, shape).astype(kind, copy=False)
