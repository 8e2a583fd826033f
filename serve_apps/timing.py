"""Where a request's time went in the server, and the `Server-Timing` header that says so. Pure.

`Server-Timing: queue;dur=1.203, batch;dur=0.800, compute;dur=3.100, batch-size;desc=16` (durations in ms):

- **queue**: from the request's arrival in the application until the session starts on its batch. Reading and
  checking the body is part of it.
- **batch**: the part of queue in which its batch was still being collected.
- **compute**: the session's run for the whole batch.
- **batch-size**: requests in that batch.
- **tokens**, **padding**: where items differ in length, what those of this request have together, and the places
  beside them that were filled up so that all items of their batches are of one length.
- **accuracy**: of the model in the variant that answered, from 0 to 1 (docs/variants.md); no time, but told where
  the times are.

Serve does not tell when a batch was opened and closed, but its rules do. One collector takes the requests in
order. It opens a batch with the first one that waits, not before the batch ahead is closed; and it closes the
batch when that is full, or when the wait has run out. Only then does the batch queue up for the model,
without growing. So a batch opens at the later of (its first request joined, the one ahead was closed), and
closes at the earliest of (its last request joined, if it is full; it opened + the wait; the session started).
What a request waits beyond that, for a batch that is still computing, is queue but not batch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple


class Timing(NamedTuple):
    """Seconds of one answer; `queue_s` contains `batch_s`."""

    queue_s: float
    batch_s: float
    compute_s: float
    batch_size: int
    tokens: int | None = None  # None, as the next one: items do not differ in length
    padding: int | None = None
    accuracy: float | None = None  # not known

    def header(self) -> bytes:
        """The value of the `Server-Timing` header: milliseconds with three decimals."""
        padded = "" if self.tokens is None else f", tokens;desc={self.tokens}, padding;desc={self.padding}"
        accuracy = "" if self.accuracy is None else f", accuracy;desc={self.accuracy:.5f}"
        return (
            f"queue;dur={self.queue_s * 1e3:.3f}, batch;dur={self.batch_s * 1e3:.3f}, "
            f"compute;dur={self.compute_s * 1e3:.3f}, batch-size;desc={self.batch_size}{padded}{accuracy}"
        ).encode()


NO_BATCH = Timing(0.0, 0.0, 0.0, 0)
"""Of an answer that never reached a batch: health, metadata, a refused request."""


@dataclass(frozen=True)
class Collection:
    """The time in which a batch was collected, in seconds of a monotonic clock."""

    opened_s: float
    closed_s: float

    @classmethod
    def of(
        cls,
        joined_s: Sequence[float],
        started_s: float,
        previous_closed_s: float,
        full_size: int,
        wait_s: float,
    ) -> Collection:
        """The collection of the batch whose requests joined at `joined_s` (ascending, at least one)."""
        opened = max(joined_s[0], previous_closed_s)
        closed = opened + wait_s
        if len(joined_s) >= full_size:
            closed = min(closed, max(opened, joined_s[-1]))
        return cls(opened, min(closed, started_s))

    def timing(self, arrived_s: float, joined_s: float, started_s: float, ended_s: float, size: int) -> Timing:
        """The timing of one of its requests, computed from `started_s` to `ended_s` in a batch of `size`."""
        collecting = max(0.0, self.closed_s - max(self.opened_s, joined_s))
        return Timing(started_s - arrived_s, collecting, ended_s - started_s, size)
