"""What the truth server does to a request, and the exact distribution of the response time that follows from it.

Every law has `arguments` (how `truth_server.py` is told of it), `mean_ms` and `percentile_ms(percent)`: exact values,
in milliseconds, for a client and a network that take no time.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln, pdtrc


@dataclass(frozen=True)
class Constant:
    """Every answer after the same time; requests do not wait for each other."""

    delay_ms: float

    @property
    def arguments(self) -> tuple[str, ...]:
        return ("constant", str(self.delay_ms))

    @property
    def mean_ms(self) -> float:
        return self.delay_ms

    def percentile_ms(self, percent: float) -> float:
        return self.delay_ms


@dataclass(frozen=True)
class Exponential:
    """A least time and on top of it an exponentially distributed one, drawn for each request on its own."""

    least_ms: float
    excess_ms: float  # mean of what comes on top

    @property
    def arguments(self) -> tuple[str, ...]:
        return ("exponential", str(self.least_ms), str(self.excess_ms))

    @property
    def mean_ms(self) -> float:
        return self.least_ms + self.excess_ms

    def percentile_ms(self, percent: float) -> float:
        return self.least_ms - self.excess_ms * math.log(1 - percent / 100)


@dataclass(frozen=True)
class Bimodal:
    """A slow answer with the probability `slow_share`, else a fast one.

    A percentile that falls on the jump itself, 100 * (1 - slow_share), has no stable value: ValueError.
    """

    fast_ms: float
    slow_ms: float
    slow_share: float

    @property
    def arguments(self) -> tuple[str, ...]:
        return ("bimodal", str(self.fast_ms), str(self.slow_ms), str(self.slow_share))

    @property
    def mean_ms(self) -> float:
        return self.fast_ms + self.slow_share * (self.slow_ms - self.fast_ms)

    def percentile_ms(self, percent: float) -> float:
        fast_percent = 100 * (1 - self.slow_share)
        if math.isclose(percent, fast_percent, abs_tol=0.5):
            raise ValueError(f"p{percent:g} lies on the jump between fast and slow answers")
        return self.fast_ms if percent < fast_percent else self.slow_ms


@dataclass(frozen=True)
class OneWorker:
    """One worker with constant service time, first come first served, under Poisson arrivals: M/D/1.

    `utilisation` is arrival rate times service time, more than 0 and at most 0.95.
    """

    service_ms: float
    utilisation: float

    def __post_init__(self) -> None:
        if not 0 < self.utilisation <= 0.95:
            raise ValueError(f"utilisation lies above 0 and is at most 0.95, not {self.utilisation}")

    @property
    def arguments(self) -> tuple[str, ...]:
        return ("fifo", str(self.service_ms))

    @property
    def rate_rps(self) -> float:
        """The arrival rate that makes the worker so busy."""
        return self.utilisation / self.service_ms * 1e3

    @property
    def mean_ms(self) -> float:
        """Pollaczek–Khinchine: D + ρD / (2 (1 - ρ))."""
        return self.service_ms * (1 + self.utilisation / (2 * (1 - self.utilisation)))

    def waits_at_most(self, wait_ms: float) -> float:
        """P(waiting time ≤ wait_ms), the time in service not included.

        With k = ⌊wait/D⌋ + 1 and u = k - wait/D it is Σ_{j<k} Q_{k-1-j} (ρu)^j e^(-ρu) / j!, where Q_m is the
        probability of at most m + 1 requests in the system. No term is negative, so nothing cancels. Source: G. J.
        Franx, A simple solution for the M/D/c waiting time distribution, Operations Research Letters 29 (2001), for
        c = 1.
        """
        if wait_ms < 0:
            return 0.0
        at_most = requests_in_system(self.utilisation).cumsum()
        services = wait_ms / self.service_ms
        k = math.floor(services) + 1
        if k >= len(at_most):
            return 1.0  # to within rounding, for all utilisations that are allowed
        j = np.arange(k)
        expected = self.utilisation * (k - services)
        arrivals = np.exp(j * math.log(expected) - expected - gammaln(j + 1))
        return float(min(1.0, arrivals @ at_most[k - j]))

    def percentile_ms(self, percent: float) -> float:
        share = percent / 100
        if share <= 1 - self.utilisation:
            return self.service_ms  # the worker is free so often
        shorter, longer = 0.0, self.service_ms
        while self.waits_at_most(longer) < share:
            longer *= 2
        while longer - shorter > 1e-9 * self.service_ms:
            middle = (shorter + longer) / 2
            if self.waits_at_most(middle) < share:
                shorter = middle
            else:
                longer = middle
        return self.service_ms + longer


Law = Constant | Exponential | Bimodal | OneWorker


@cache
def requests_in_system(utilisation: float, count: int = 1024) -> NDArray[np.float64]:
    """P(n requests in an M/D/1 system), waiting or in service, for n = 0 … count - 1.

    Up- and down-crossings of a level balance: a_0 p_{n+1} = p_0 P(A > n) + Σ_{1≤j≤n} p_j P(A > n + 1 - j), A the
    Poisson number of arrivals during a service and a_0 = P(A = 0). All terms are positive; the usual recursion
    subtracts, and loses all digits in the tail. Source: V. Ramaswami, A stable recursion for the steady state
    vector in Markov chains of M/G/1 type, Stochastic Models 4 (1988).
    """
    exceeds = pdtrc(np.arange(count), utilisation)
    p = np.zeros(count)
    p[0] = 1 - utilisation
    for n in range(count - 1):
        p[n + 1] = (p[0] * exceeds[n] + p[1 : n + 1] @ exceeds[n:0:-1]) * math.exp(utilisation)
    return p


def through_a_freeze_s(
    scheduled_s: NDArray[np.float64], delay_s: float, begins_s: float, lasts_s: float
) -> NDArray[np.float64]:
    """Response times of a `Constant` server that neither reads nor answers for a while: (requests,), seconds.

    What was due meanwhile leaves at the end; delays count from the arrival at the socket, which the kernel notes.
    """
    due_s = scheduled_s + delay_s
    ends_s = begins_s + lasts_s
    return np.where((due_s >= begins_s) & (due_s < ends_s), ends_s, due_s) - scheduled_s
