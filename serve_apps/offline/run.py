"""One run over a data set and where its time went."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from serve_apps.offline.loading import Batch


@dataclass
class Parts:
    """Seconds; `load` and `decode` are those of all workers together."""

    load_s: float = 0.0
    decode_s: float = 0.0
    first_batch_s: float = 0.0
    inference_s: float = 0.0
    idle_s: float = 0.0

    def told(self) -> dict[str, float]:
        """As a job's step tells them, in milliseconds."""
        return {name.removesuffix("_s") + "_ms": 1000 * seconds for name, seconds in vars(self).items()}


def run_over(load: Callable[[], Iterable[Batch]], infer: Callable[[Any], Any], clock: Callable[[], float]) -> Parts:
    """Loads what there is, and infers every batch when it is there; `clock` gives seconds.

    The first batch's delay begins before `load`, which may start workers.
    """
    parts = Parts()
    asked_s = began_s = clock()
    batches: Iterator[Batch] = iter(load())
    for number, batch in enumerate(batches):
        there_s = clock()
        if number:
            parts.idle_s += there_s - asked_s
        else:
            parts.first_batch_s = there_s - began_s
        infer(batch.pixels)
        asked_s = clock()
        parts.inference_s += asked_s - there_s
        parts.load_s += batch.load_s
        parts.decode_s += batch.decode_s
    return parts
