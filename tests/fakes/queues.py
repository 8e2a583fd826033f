"""Response times whose law is known, to hold statistics against: waiting lines and independent draws."""

from __future__ import annotations

import math

import numpy as np

from orchestrator.measure.samples import Outcome, Samples

SERVICE_S = 0.005


def to_samples(scheduled_s, response_s, outcome=Outcome.OK) -> Samples:
    """Samples in order of completion, sent on time."""
    rows = len(scheduled_s)
    unknown = np.full(rows, math.nan)
    done_s = scheduled_s + response_s
    outcomes = np.broadcast_to(np.asarray(outcome, np.uint8), rows)
    order = np.argsort(done_s, kind="stable")
    columns = (scheduled_s, scheduled_s, done_s, outcomes, np.full(rows, 200, np.int16), *[unknown] * 4)
    return Samples(*(column[order] for column in columns))


def md1(rng, utilisation, seconds, warm_up_s=20.0):
    """Scheduled and response times of an M/D/1 queue, first come, first served, by Lindley's recursion."""
    rate = utilisation / SERVICE_S
    count = int(rate * (seconds + warm_up_s) + 8 * math.sqrt(rate * (seconds + warm_up_s)))
    gaps = rng.exponential(1 / rate, count)
    steps = SERVICE_S - gaps  # by how much longer a request waits than the one before it
    steps[0] = 0.0
    ahead = np.cumsum(steps)
    wait = ahead - np.minimum(np.minimum.accumulate(ahead), 0)
    scheduled = np.cumsum(gaps) - warm_up_s
    within = (scheduled >= 0) & (scheduled < seconds)
    return scheduled[within], wait[within] + SERVICE_S


def md1_quantile(utilisation, probability):
    """Of the response time; Erlang's law of the wait in M/D/1, inverted by bisection."""
    rate = utilisation / SERVICE_S

    def share_within(wait):
        terms = range(int(wait // SERVICE_S) + 1)
        late = [rate * (k * SERVICE_S - wait) for k in terms]
        return (1 - utilisation) * sum(late[k] ** k / math.factorial(k) * math.exp(-late[k]) for k in terms)

    low, high = 0.0, 20 * SERVICE_S
    if share_within(low) >= probability:
        return SERVICE_S
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (middle, high) if share_within(middle) < probability else (low, middle)
    return SERVICE_S + high


def md1_mean(utilisation):
    """Of the response time (Pollaczek and Khinchine)."""
    return SERVICE_S * (1 + utilisation / 2 / (1 - utilisation))


def independent(rng, seconds, rate, draw):
    """Poisson arrivals whose response times are `draw(rng, count)`, independent of each other."""
    scheduled = np.sort(rng.uniform(0, seconds, rng.poisson(rate * seconds)))
    return scheduled, draw(rng, len(scheduled))
