"""How many requests can meet in one replica: what decides whether a batch can form."""

from __future__ import annotations

import math
from dataclasses import dataclass

from scipy.special import pdtrik

from orchestrator.experiment import ClosedLoop, Load, Steady
from orchestrator.serve_config.settings import MAX_ONGOING, Settings

NEARLY_SURE = 0.9999
"""Of the stretches of a random load, the share that may not hold more arrivals than we count on."""


@dataclass(frozen=True)
class Crowd:
    """The requests that come to a deployment. What is not known is infinite, so that it rules nothing out.

    `clients` are under way at most at the same time; they come at `rate_rps`; each brings `items` to the batches.
    `even`: whoever sends them picks the replica that has the fewest.
    """

    clients: float = math.inf
    rate_rps: float = math.inf
    items: int = 1
    even: bool = False

    @classmethod
    def of(cls, load: Load, deployments: int, even: bool) -> Crowd:
        """The crowd in front of an application of so many deployments.

        Of several deployments one may call another many times for each request, so that nothing is known.
        """
        if deployments != 1:
            return cls(items=load.items_per_request)
        match load.traffic:
            case ClosedLoop(concurrency=clients):
                return cls(clients=clients, items=load.items_per_request, even=even)
            case Steady(rate_rps=rate_rps):
                return cls(rate_rps=rate_rps, items=load.items_per_request)
            case _:
                return cls(items=load.items_per_request)

    def share(self, settings: Settings) -> float:
        """Most requests that can be at one replica, whatever its own limit.

        Whoever is sent finds at most `clients - 1` under way, so that the replica with the fewest has at most
        (clients - 1) // replicas of them.
        """
        return math.ceil(self.clients / self._sharing(settings)) if math.isfinite(self.clients) else math.inf

    def at_once(self, settings: Settings) -> float:
        """Most requests that a replica works on at a time: Serve lets in `max_ongoing_requests` and no more."""
        return min(self.share(settings), _limit(settings))

    def within(self, seconds: float, settings: Settings) -> float:
        """Most requests of one batch that can all be answered within so many seconds of the first one's arrival."""
        if math.isinf(self.rate_rps):
            return self.at_once(settings)
        followers = math.ceil(pdtrik(NEARLY_SURE, self.rate_rps * seconds))
        return min(self.at_once(settings), 1 + followers)

    def text(self, requests: float) -> str:
        """So many requests, with what they carry."""
        each = f" of {self.items} items" if self.items > 1 else ""
        return f"{requests:,.0f} request{'s' if requests != 1 else ''}{each}"

    def why(self, settings: Settings) -> str:
        """Where the number of requests that are `at_once` in a replica comes from."""
        if _limit(settings) < self.share(settings):
            return f"{MAX_ONGOING} {settings[MAX_ONGOING]:,.0f}"
        replicas = self._sharing(settings)
        return f"{self.clients:,.0f} clients" + (f" over {replicas:,.0f} replicas" if replicas > 1 else "")

    def _sharing(self, settings: Settings) -> float:
        """Replicas among which the clients are divided; one where that is not known to be even."""
        return 1.0 if not self.even or math.isnan(settings.replicas) else settings.replicas


def _limit(settings: Settings) -> float:
    """Infinite where the config does not say: the code may have another limit than Serve's default."""
    limit = settings[MAX_ONGOING]
    return math.inf if math.isnan(limit) else limit
