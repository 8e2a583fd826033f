"""What a job promises. It is kept by its shape: a job imports nothing of the orchestrator.

In the module that `app.import_path` names stands, beside the function that it names,

    def build(args: dict) -> Job: ...

    def prepare(args: dict) -> None: ...   # optional

`prepare` does what is done once and kept, such as downloading a model, and is not timed. `build` and the first step are
the cold start. An exception from any of them whose text begins with "infeasible:" says that there is no such
configuration here: the trial is INFEASIBLE, as it is when memory does not suffice. Any other makes it FAILED.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from numbers import Real
from typing import Any, NamedTuple, Protocol

from orchestrator.plain import found

KEYS = ("items", "parts", "accuracy")
PART_ENDING = "_ms"


class Job(Protocol):
    """What `build` returns."""

    def step(self) -> Mapping[str, Any]:
        """Does one unit of work, such as a batch or a pass over the data, and says what it was.

        `{"items": 32, "parts": {"inference_ms": 12.3}, "accuracy": 0.998}`: how many items it processed, at least one;
        optionally how long its parts took, in ms, and how accurate its model is, from 0 to 1. Parts that run at the
        same time may add up to more than the step.
        """

    # def close(self) -> None: optional; called once, after the last step


class StepReport(NamedTuple):
    """What a step said of itself."""

    items: int
    parts: Mapping[str, float]
    accuracy: float | None = None  # not told


def read_report(report: object) -> StepReport:
    """The report of a step. ValueError, in the words of docs/offline.md, for anything that is none."""
    if not isinstance(report, Mapping):
        raise ValueError(f"step() has to return a mapping with `items`; it returned {found(report)}")
    if unknown := [key for key in report if key not in KEYS]:
        raise ValueError(f"step() returned {found(unknown[0])}, which has no meaning; it takes {', '.join(KEYS)}")
    items: Any = report.get("items")
    parts = report.get("parts") or {}
    if not _is_number(items) or items != int(items) or items < 1:
        raise ValueError(f"`items` of a step is how many items it processed, at least 1; found {found(items)}")
    if not isinstance(parts, Mapping):
        raise ValueError(f"`parts` of a step is a mapping of names to milliseconds; found {found(parts)}")
    told = {_name(name): _milliseconds(name, took) for name, took in parts.items()}
    return StepReport(int(items), told, _accuracy(report.get("accuracy")))


def _name(name: object) -> str:
    if isinstance(name, str) and name.endswith(PART_ENDING) and name.isidentifier():
        return name
    raise ValueError(f"a part of a step has a name such as load{PART_ENDING}; found {found(name)}")


def _milliseconds(name: object, took: Any) -> float:
    if not _is_number(took) or took < 0:
        raise ValueError(f"the part {name} of a step is {found(took)}, which is no number of milliseconds")
    return float(took)


def _accuracy(told: Any) -> float | None:
    if told is None:
        return None
    if not _is_number(told) or not 0 <= told <= 1:
        raise ValueError(f"`accuracy` of a step is a number from 0 to 1; found {found(told)}")
    return float(told)


def _is_number(value: Any) -> bool:
    """Numpy's own numbers are numbers, true and false are not."""
    return isinstance(value, Real) and not isinstance(value, bool) and math.isfinite(value)
