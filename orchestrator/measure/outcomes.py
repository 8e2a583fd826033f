"""What became of the requests of a window, in words."""

from __future__ import annotations

import numpy as np

from orchestrator.measure.samples import Outcome, Samples

WORDS = {Outcome.TIMEOUT: "time-out", Outcome.BROKEN: "broken connection", Outcome.UNSENT: "never sent"}


def describe_outcomes(samples: Samples) -> str:
    """What became of the requests, in words: "1,204 of 1,300 requests failed: 1,200 x HTTP 503, 4 x time-out"."""
    if not len(samples):
        return "no request was sent"
    parts = []
    answered = samples.outcome == Outcome.HTTP_ERROR
    for status, count in zip(*np.unique(samples.status[answered], return_counts=True), strict=True):
        parts.append(f"{count:,} × HTTP {status}")
    for outcome, words in WORDS.items():
        count = int((samples.outcome == outcome).sum())
        if count:
            parts.append(f"{count:,} × {words}")
    failed = int((~samples.ok).sum())
    return f"{failed:,} of {len(samples):,} requests failed: {', '.join(parts)}"
