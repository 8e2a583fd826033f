"""The most that was reached for a while: what a disturbed load still says of what is possible. No clock."""

from __future__ import annotations

import numpy as np

from orchestrator.measure.samples import Samples

SECOND = 1.0


def peak_rps(samples: Samples) -> float:
    """Successes in the best second, in requests/s; 0.0 where they do not last for one.

    Seconds begin with a success and count those that ended within them, wherever in the load they lie.
    """
    done_s = np.sort(samples.done_s[samples.ok])
    counts = np.searchsorted(done_s, done_s + SECOND) - np.arange(len(done_s))
    whole = done_s + SECOND <= done_s.max(initial=-np.inf)
    return float(counts[whole].max(initial=0))
