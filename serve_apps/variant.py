"""In which numbers, by which engine, with which threads and on which cores a model is computed: `args` beside its name.

What a variant costs in accuracy is in `accuracy.py`, how one is made in `nets/quantize.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from serve_apps.checks import Allowed, checked, flag, integer, one_of

FP32, FP16, INT8, INT8_STATIC = "fp32", "fp16", "int8", "int8_static"
ONNXRUNTIME, TORCH, TORCH_COMPILE = "onnxruntime", "torch", "torch_compile"

_ALLOWED: Allowed = {
    "precision": one_of(FP32, FP16, INT8, INT8_STATIC),
    "engine": one_of(ONNXRUNTIME, TORCH, TORCH_COMPILE),
    "threads": integer(1, 256),
    "pinning": flag(),
    "data": ("the path of an .npz file", lambda value: isinstance(value, str) and value.endswith(".npz")),
}
KEYS = tuple(_ALLOWED)


class InfeasibleError(ValueError):
    """This cannot be had here; the orchestrator reads the first word and calls the trial INFEASIBLE."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"infeasible: {reason}")


@dataclass(frozen=True)
class Variant:
    """How a model is computed; docs/variants.md says what each is worth."""

    precision: str = FP32
    engine: str = ONNXRUNTIME
    threads: int | None = None  # of the engine within one batch; one, unless `user_config.intra_op_threads` says more
    pinning: bool = False  # whether the replica keeps to as many cores of its own as it has threads
    data: str | None = None  # inputs to calibrate a model of the user's own on, and to compare its variants with

    @classmethod
    def from_args(cls, args: Any) -> Variant:
        """Those of the application's `args`. ValueError for what is not allowed, InfeasibleError for what cannot be."""
        variant = cls(**checked(args, _ALLOWED, "args"))
        if variant.data is not None and not variant.data_file.is_file():  # type: ignore[union-attr]
            raise ValueError(f"args.data is {variant.data!r}, but there is no such file ({variant.data_file})")
        if variant.engine != ONNXRUNTIME and variant.precision != FP32:
            raise InfeasibleError(
                f"args.precision is {variant.precision!r} and args.engine is {variant.engine!r}; "
                f"only {ONNXRUNTIME!r} computes in other numbers than {FP32!r}"
            )
        return variant

    @property
    def data_file(self) -> Path | None:
        """Where the user's inputs are."""
        return None if self.data is None else Path(self.data).expanduser().absolute()

    def within_batch(self, asked: int | None) -> int:
        """Threads of the engine; `asked` is the replica's knob `intra_op_threads`."""
        if self.threads is not None and asked is not None and asked != self.threads:
            raise ValueError(
                f"args.threads is {self.threads} and user_config.intra_op_threads is {asked}: give one of them"
            )
        return asked or self.threads or 1


AS_IT_IS = Variant()
"""In the numbers that the model has, by ONNX Runtime, in one thread, on any core."""
