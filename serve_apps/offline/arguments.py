"""The arguments of the pipeline, checked. A mistake names key, value and cure."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from serve_apps.checks import Allowed, checked, integer, one_of, split
from serve_apps.datasets.photos import JPEGS, TENSORS
from serve_apps.decoding import DECODERS, PILLOW
from serve_apps.offline.models import KEYS, variant_of
from serve_apps.variant import ONNXRUNTIME, TORCH, TORCH_COMPILE, InfeasibleError, Variant

RAY_DATA = "ray_data"
"""An engine of the pipeline alone."""

MODELS = ("squeezenet", "mobilenet", "resnet18", "resnet50", "resnet_cifar")
"""Those of colour pictures."""


@dataclass(frozen=True)
class PipelineArgs:
    """What a run over a data set is, and how it is done.

    `engine` says who computes: ONNX Runtime or torch in this process, fed by a DataLoader, or Ray Data with ONNX
    Runtime in `copies` actors of the cluster; `variant` is how. `items` is the length of a run; `photos` how many
    different files are made up for it, of `size` (width, height), and read again in turn.
    """

    variant: Variant
    model: str = "resnet18"
    engine: str = ONNXRUNTIME
    batch_size: int = 32
    workers: int = 0  # processes that load beside the one that computes; with 0 that does both
    data: str = JPEGS
    items: int = 256
    photos: int = 256
    size: tuple[int, int] = (500, 375)
    decoder: str = PILLOW
    copies: int = 1  # of the model, with ray_data

    @classmethod
    def from_args(cls, args: Any) -> PipelineArgs:
        """The job's `args`. ValueError for what is not allowed, InfeasibleError for what does not go together."""
        own, numbers = split(args, tuple(_ALLOWED), tuple(key for key in KEYS if key not in _ALLOWED))
        values = checked(own, _ALLOWED, "args")
        engine = values.get("engine", cls.engine)
        variant = variant_of({**numbers, "engine": ONNXRUNTIME if engine == RAY_DATA else engine})
        found = cls(variant, **{**values, "size": tuple(values.get("size", cls.size))})
        if found.engine == RAY_DATA and found.workers == 0:
            raise InfeasibleError("args.workers is 0, but Ray Data always loads beside the model")
        if found.engine != RAY_DATA and found.copies != 1:
            raise InfeasibleError(f"args.copies is {found.copies}, but only {RAY_DATA} has more than one")
        if found.data == TENSORS and found.decoder != PILLOW:
            raise InfeasibleError(f"args.decoder is {found.decoder!r}, but with data: {TENSORS} nothing is decoded")
        return found


def _is_data(value: Any) -> bool:
    return isinstance(value, str) and (value in (JPEGS, TENSORS) or Path(value).expanduser().is_dir())


def _is_size(value: Any) -> bool:
    sides = list(value) if isinstance(value, (list, tuple)) else []
    return len(sides) == 2 and all(type(side) is int and 16 <= side <= 8192 for side in sides)


# The upper bounds only catch slips; none is a technical limit.
_ALLOWED: Allowed = {
    "model": one_of(*MODELS),
    "engine": one_of(ONNXRUNTIME, TORCH, TORCH_COMPILE, RAY_DATA),
    "batch_size": integer(1, 65_536),
    "workers": integer(0, 1024),
    "data": (f"{JPEGS!r}, {TENSORS!r} or the path of a directory", _is_data),
    "items": integer(1, 100_000_000),
    "photos": integer(1, 1_000_000),
    "size": ("[width, height] in pixels, each from 16 to 8192", _is_size),
    "decoder": one_of(*DECODERS),
    "copies": integer(1, 1024),
}
