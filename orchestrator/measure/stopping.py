"""When a trial has measured enough."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from orchestrator.measure.confidence import relative_half_width, throughput_by_batch
from orchestrator.measure.samples import Samples
from orchestrator.measure.windows import in_window

MIN_SUCCESSES_PER_BATCH = 10
"""With fewer successes a batch's mean is mostly luck, and equal counts may look like precision."""


@dataclass(frozen=True)
class PrecisionReached:
    """A stopping rule: the 95 % relative half-width of the throughput's batch means is at most `precision`.

    Never true before the window holds `MIN_SUCCESSES_PER_BATCH` * `batches` successes. Asked again and again
    as the window grows, such a rule stops a little too early on average: the interval at the stop is a guide
    to how long to measure, not a guarantee of coverage.
    """

    precision: float
    batches: int = 10

    def __post_init__(self) -> None:
        if not self.precision > 0:
            raise ValueError(f"precision is more than 0, not {self.precision}")
        if self.batches < 5:
            raise ValueError(f"an interval from fewer than 5 batch means says little; got {self.batches}")

    def __call__(self, samples: Samples, window_start: float, now: float) -> bool:
        """Whether the samples scheduled since `window_start` suffice; times in seconds since its start."""
        successes = in_window(samples.where(samples.ok), (window_start, now))
        if len(successes) < MIN_SUCCESSES_PER_BATCH * self.batches:
            return False
        # The latest requests have no answer yet: counting up to `now` would make the last batch look slow.
        settled = now - float(np.percentile(successes.response_time_s, 99))
        if settled <= window_start:
            return False
        rates = throughput_by_batch(successes, (window_start, settled), self.batches)
        return relative_half_width(rates) <= self.precision
