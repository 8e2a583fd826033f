"""The items of a checklist for the serving of models, in the order in which they are worth a look.

Source: the usual advice on the performance of model inference, first the system around the model and then the model.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Kind(str, Enum):
    """What can be answered to an item."""

    DONE = "done"  # there is nothing more to be had, or nothing worth having
    GAIN = "gain"  # measured, and shown to be there
    DECIDE = "to decide"  # the figures are there; what it takes cannot be measured here
    NOT_APPLICABLE = "does not apply"
    UNCHECKED = "could not be checked"

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True)
class Item:
    """One item: its name, the question that it asks, and what answers that."""

    name: str
    question: str
    settled_by: str


ITEMS = (
    Item(
        "versions",
        "Are all parts at the latest releases that are known to work together?",
        "the installed releases beside the tested set",
    ),
    Item(
        "system",
        "Where does the system's time go, and does any of it lie idle?",
        "CPU, memory, disks, network and GPUs under the load; more replicas, measured",
    ),
    Item(
        "pre- and post-processing",
        "How much of the work is around the model, not in it?",
        "the replicas' CPU time beside the model's own",
    ),
    Item(
        "I/O",
        "How much of the time is spent on disks and networks?",
        "the parts of the response time, and waiting for disks; binary requests, measured",
    ),
    Item("over-padding", "Are sequences padded beyond the longest of their batch?", "args.padding, measured"),
    Item("JPEG decoding", "Are JPEG pictures decoded by the fastest decoder?", "args.decoder, measured"),
    Item("fp16", "Does the model compute faster in half precision?", "args.precision, measured"),
    Item("int8", "Does the model compute faster when it is quantised?", "args.precision, measured"),
    Item("batching", "Do larger batches bring more within the promise?", "max_batch_size, measured under the SLO"),
    Item("engine", "Does another inference engine compute faster?", "args.engine, measured"),
    Item("distillation", "Would a smaller model be worth its training?", "the model's share of the work"),
    Item(
        "core pinning", "Do threads, and cores of their own, help the replicas?", "threads and args.pinning, measured"
    ),
    Item("sequence bucketing", "Does batching by length save padding?", "args.padding, measured"),
)

(
    VERSIONS,
    SYSTEM,
    PROCESSING,
    IO,
    PADDING,
    JPEG,
    FP16,
    INT8,
    BATCHING,
    ENGINE,
    DISTILLATION,
    PINNING,
    BUCKETING,
) = ITEMS
