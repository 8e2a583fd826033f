"""Requests that no figure of a window knows: they were scheduled before it, and ended after it.

A window counts by scheduled time, and in a queue that is fair that loses nothing: those that come within the window
wait as long. In one that is not, some clients are served again and again while others wait the whole time. The figures
are then those of the lucky few: few clients, and all of them quick.
"""

from __future__ import annotations

import numpy as np

from orchestrator.measure.samples import Samples, Window

UNLIKE = 2.0
"""A request that took longer than the slowest of the window by this factor is not spoken for by any of them."""


def outlasting_share(samples: Samples, window: Window) -> float:
    """Of the requests under way within the window, the share that lasted from before it to after it, unlike the others.

    0.0 where none was scheduled within it: then there are no figures either.
    """
    start, end = window
    scheduled, took_s = samples.scheduled_s, samples.response_time_s
    counted = (scheduled >= start) & (scheduled < end)
    if not counted.any():
        return 0.0
    outlasting = (scheduled < start) & (samples.done_s >= end) & (took_s > UNLIKE * took_s[counted].max())
    found = np.count_nonzero(outlasting)
    return float(found / (found + np.count_nonzero(counted)))
