"""The arguments that applications take by convention, docs/checklist.md: what each of them is worth is measured.

An application takes such an argument, refuses it by its name, or says that it cannot have the value here; which of it
is so, nobody knows before it was asked.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from orchestrator.checklist.candidates import Candidate, Settled
from orchestrator.checklist.items import BUCKETING, ENGINE, FP16, INT8, JPEG, PADDING, PINNING, Item, Kind
from orchestrator.experiment import Experiment
from orchestrator.knob import Listed
from orchestrator.plain import text
from orchestrator.result import Configuration
from orchestrator.serve_config import read

UNKNOWN = "no_such_argument"
"""A name that no application takes: how it refuses this one is how it refuses whatever it does not know."""


@dataclass(frozen=True)
class Argument:
    """One argument under one item, and the values that are tried."""

    item: Item
    name: str
    tried: tuple[Any, ...]

    @property
    def path(self) -> str:
        """In a configuration."""
        return f"args.{self.name}"


ARGUMENTS = (
    Argument(PADDING, "padding", ("longest",)),
    Argument(BUCKETING, "padding", ("bucketed",)),
    Argument(JPEG, "decoder", ("turbo",)),
    Argument(FP16, "precision", ("fp16",)),
    Argument(INT8, "precision", ("int8", "int8_static")),
    Argument(PINNING, "pinning", (True,)),
    Argument(ENGINE, "engine", ("torch", "torch_compile")),
)

THREADS_PATH = "args.threads"

USUAL: Mapping[str, tuple[Any, ...]] = {
    "args.padding": ("longest", "max"),
    "args.decoder": ("pillow",),
    "args.precision": ("fp32",),
    "args.pinning": (False,),
    "args.engine": ("onnxruntime",),
    THREADS_PATH: (1,),
}
"""What an application that takes the argument does where it is not told: the first value that is not a gain."""


def control() -> Configuration:
    """What no application takes."""
    return {f"args.{UNKNOWN}": True}


def is_stated(experiment: Experiment, path: str) -> bool:
    """Whether the file says that the application takes the argument: by a value, or by a knob."""
    return path in experiment.space.paths() or _stated(experiment, path) is not None


def of_arguments(experiment: Experiment, jpeg_share: float) -> Iterator[Candidate | Settled]:
    """What is tried of each argument: the values of the file's own knob where it has one, else the usual ones.

    `jpeg_share` is the share of the requests that are JPEG pictures.
    """
    for one in ARGUMENTS:
        if one.item is JPEG and not jpeg_share:
            yield Settled(JPEG, Kind.NOT_APPLICABLE, "no request is a JPEG picture")
            continue
        now = _stated(experiment, one.path)
        values = [value for value in _values(experiment, one) if value != now]
        asks = "" if is_stated(experiment, one.path) else one.name
        yield from (Candidate(one.item, {one.path: value}, asks) for value in values)
        if not values:
            yield Settled(one.item, Kind.DONE, f"{one.path} is {text(now)}, and there is no other value to try")


def _stated(experiment: Experiment, path: str) -> Any:
    try:
        return read(experiment.app, path)
    except KeyError:
        return None


def _values(experiment: Experiment, argument: Argument) -> list[Any]:
    """Of the file's own knob what belongs to this item: what no other item of the argument lays claim to."""
    knob = experiment.space.knobs.get(argument.path)
    if not isinstance(knob, Listed):
        return list(argument.tried)
    others = [one for one in ARGUMENTS if one.path == argument.path and one is not argument]
    claimed = [value for other in others for value in other.tried]
    return [value for value in knob.listed() if value not in claimed]
