"""Opens a model in the variant that is asked for. An engine is imported only where it is to compute."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from numpy.typing import NDArray

from serve_apps.batches import Inputs
from serve_apps.model_spec import ModelSpec
from serve_apps.nets.store import ensure_variant
from serve_apps.settings import Source
from serve_apps.variant import FP32, ONNXRUNTIME, TORCH_COMPILE, Variant


class Model(Protocol):
    """What a replica serves; `OnnxModel` is one."""

    spec: ModelSpec
    accuracy: float | None
    """Of its variant, as docs/variants.md defines it; None where it is not known."""

    def prepare(self, inputs: Inputs) -> Inputs:
        """A request's inputs as `run` takes them. RequestError for what it cannot take."""

    def run(self, inputs: Inputs) -> Sequence[NDArray]:
        """The outputs of one or more requests, whose inputs are joined along the first dimension."""


def made(source: Source, variant: Variant) -> Path:
    """The model's file, in the numbers of the variant; it is made first if need be.

    Raises:
        InfeasibleError: nothing here could compute it.
        ValueError: a file of the user's, which its engine cannot take.
    """
    if variant.engine != ONNXRUNTIME:
        if source.file is not None:
            raise ValueError(
                f"args.engine is {variant.engine!r}, which takes bundled models only; "
                f"{source.file.name} is computed by {ONNXRUNTIME!r}"
            )
        return source.path()
    if variant.precision == FP32:
        return source.path()
    from serve_apps.onnx_model import providers

    providers(variant.precision)  # before anything is made that could not run
    bundled = source.name if source.file is None else ""
    return ensure_variant(bundled, source.path(), variant.precision, variant.data_file)


def open_model(source: Source, variant: Variant, threads: int) -> Model:
    """The model, made first if need be. Raises as `made` does."""
    path = made(source, variant)
    if variant.engine == ONNXRUNTIME:
        from serve_apps.onnx_model import OnnxModel

        return OnnxModel(source.name, path, threads, variant.precision)
    from serve_apps.torch_model import TorchModel

    return TorchModel(source.name, path, threads, compiled=variant.engine == TORCH_COMPILE)
