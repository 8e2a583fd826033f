"""All response times of a load in one row of numbers: the sorted ones, at even distances.

A histogram needs bins that suit every trial, and a picture of sorted times needs none: it is the row itself.
"""

from __future__ import annotations

import numpy as np

from orchestrator.measure.confidence import quantiles
from orchestrator.measure.samples import Samples, Window
from orchestrator.measure.windows import in_window

PLACES = 201
"""One for each half percent of the requests, both ends included."""

DIGITS = 4
"""Significant ones: a picture shows no more, and a row of them takes 3 kB of a trial's record."""


def sorted_ms(samples: Samples, window: Window) -> tuple[float, ...]:
    """The response times, in ms, of the successes scheduled within `window`: (PLACES,), the shortest first.

    The first is the minimum, the last the maximum, with quantiles at even distances between them; empty where no
    request succeeded.
    """
    counted = in_window(samples, window)
    times_ms = np.sort(counted.response_time_s[counted.ok] * 1e3)
    if not len(times_ms):
        return ()
    return tuple(float(f"{value:.{DIGITS}g}") for value in quantiles(times_ms, np.linspace(0, 1, PLACES).tolist()))
