"""The raw record of every request of a trial, as numpy columns."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

_UNKNOWN = np.empty(0)  # stands for a column of NaN as long as the others

Window = tuple[float, float]
"""[start, end) of scheduled times, in seconds since the load started."""


class Outcome(IntEnum):
    """How a request ended. Everything but OK counts against the trial; none of them is an exception."""

    OK = 0  # a 2xx answer, complete
    HTTP_ERROR = 1  # a complete answer with another status
    TIMEOUT = 2  # no complete answer within the request time-out
    BROKEN = 3  # the connection could not be opened, or broke before the answer was complete
    UNSENT = 4  # scheduled, but never sent before the load ended or the time-out passed


def _not_told() -> NDArray[np.float64]:
    return _UNKNOWN


@dataclass(frozen=True)
class Samples:
    """One row per request that was scheduled, in order of completion; all columns have the same length.

    Times are seconds since the load started. The server's own times come from the `Server-Timing` header and
    are NaN where the answer carried none.
    """

    scheduled_s: NDArray[np.float64]  # when the request should have left
    sent_s: NDArray[np.float64]  # when it left; NaN when it never did
    done_s: NDArray[np.float64]  # when it ended, however it ended
    outcome: NDArray[np.uint8]  # an Outcome
    status: NDArray[np.int16]  # HTTP status, 0 where there was no answer
    queue_s: NDArray[np.float64]  # waiting in the server
    batch_wait_s: NDArray[np.float64]  # the part of it spent collecting a batch
    compute_s: NDArray[np.float64]  # the model at work on this request's batch
    batch_size: NDArray[np.float64]  # requests in that batch
    tokens: NDArray[np.float64] = field(default_factory=_not_told)  # of its items, where these differ in length
    padding: NDArray[np.float64] = field(
        default_factory=_not_told
    )  # places that filled those up to the length of their batch
    accuracy: NDArray[np.float64] = field(default_factory=_not_told)  # of the model that answered, from 0 to 1

    def __post_init__(self) -> None:
        for name in ("tokens", "padding", "accuracy"):
            if getattr(self, name) is _UNKNOWN:
                object.__setattr__(self, name, np.broadcast_to(np.float64(math.nan), len(self.scheduled_s)))
        lengths = {name: len(column) for name, column in self.columns().items()}
        if len(set(lengths.values())) > 1:
            raise ValueError(f"sample columns differ in length: {lengths}")

    def __len__(self) -> int:
        return len(self.scheduled_s)

    def columns(self) -> dict[str, NDArray]:
        """Name -> column, in the order of the fields."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def where(self, mask: NDArray[np.bool_]) -> Samples:
        """The rows for which `mask` (bool, one per row) is true."""
        if mask.all():
            return self  # nothing is ever written to a column: no need for a copy
        return Samples(**{name: column[mask] for name, column in self.columns().items()})

    @classmethod
    def concat(cls, parts: Sequence[Samples]) -> Samples:
        """The rows of all parts, whose times count from the same moment, in order of completion.

        Rows that ended at the same time stay in the order of their parts. No parts make no rows.
        """
        if not parts:
            empty = np.empty(0, np.float64)
            return cls(empty, empty, empty, np.empty(0, np.uint8), np.empty(0, np.int16), empty, empty, empty, empty)
        columns = {name: np.concatenate([part.columns()[name] for part in parts]) for name in parts[0].columns()}
        order = np.argsort(columns["done_s"], kind="stable")
        return cls(**{name: column[order] for name, column in columns.items()})

    @property
    def ok(self) -> NDArray[np.bool_]:
        """Which requests succeeded."""
        return self.outcome == Outcome.OK

    @property
    def response_time_s(self) -> NDArray[np.float64]:
        """Scheduled -> done: what an SLO is about, free of coordinated omission."""
        return self.done_s - self.scheduled_s

    @property
    def uncorrected_s(self) -> NDArray[np.float64]:
        """Sent -> done: what a client without a schedule would report; NaN where nothing was sent."""
        return self.done_s - self.sent_s

    @property
    def send_lag_s(self) -> NDArray[np.float64]:
        """Scheduled -> sent: the lateness of the load client itself; NaN where nothing was sent."""
        return self.sent_s - self.scheduled_s
