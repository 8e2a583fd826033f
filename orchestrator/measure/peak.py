"""The most that was reached for a while: what a disturbed load still says of what is possible. No clock."""

from __future__ import annotations

import numpy as np

from orchestrator.measure.samples import Samples

STRETCH_S = 1.0


def peak_rps(samples: Samples, stretch_s: float = STRETCH_S) -> float:
    """Successes per second in the best stretch of `stretch_s` seconds; 0.0 where there is no such stretch.

    Stretches begin with a success and count those that ended within them, wherever in the load they lie.
    """
    done_s = np.sort(samples.done_s[samples.ok])
    whole = done_s[: np.searchsorted(done_s, done_s[-1] - stretch_s, side="right")] if len(done_s) else done_s
    if not len(whole):
        return 0.0
    counts = np.searchsorted(done_s, whole + stretch_s, side="left") - np.arange(len(whole))
    return float(counts.max()) / stretch_s
