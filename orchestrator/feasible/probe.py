"""Finds out what can run: the baseline is deployed once, and loaded with more and more clients."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from orchestrator.feasible.climb import Step, Sustained, next_clients, sustained
from orchestrator.feasible.fit import Bound, Need, Room, bounds, tightest
from orchestrator.feasible.narrow import Cap


class Site(Protocol):
    """A place where the baseline can be deployed and loaded."""

    def room(self) -> Room:
        """What the node has, without our replicas."""

    def deploy(self) -> float:
        """Deploys the baseline; the seconds it took. Errors as of `orchestrator.trial.Serving.deploy`."""

    def load(self, clients: int) -> Step:
        """A closed loop of so many clients."""

    def needs(self) -> Mapping[str, Need]:
        """What a replica of each deployment has taken so far, at the most."""


@dataclass(frozen=True)
class Finding:
    """What was found: of each deployment what a replica takes and what limits their number; the clients sustained."""

    room: Room
    needs: Mapping[str, Need]
    limits: Mapping[str, tuple[Bound, ...]]
    steps: tuple[Step, ...]
    sustained: Sustained

    def caps(self) -> dict[str, Cap]:
        """What no knob should exceed, by path.

        What may be under way and waiting at a replica is capped only where the number of clients was seen to break, and
        in an application of one deployment: of several, one may call another many times for each request.
        """
        found = {}
        for name, each in self.limits.items():
            least = tightest(each)
            if math.isfinite(least.most):
                found[f"{name}.num_replicas"] = Cap(least.most, f"{least.most:.0f} fit by {least.what}: {least.why}")
        if len(self.needs) == 1 and self.sustained.limited and self.sustained.clients:
            ((name, need),) = self.needs.items()
            each_holds = math.ceil(self.sustained.clients / need.replicas)
            why = (
                f"a replica sustains {each_holds} requests at a time: {self.sustained.why}; more than that is better "
                "refused at once"
            )
            for option in ("max_ongoing_requests", "max_queued_requests"):
                found[f"{name}.{option}"] = Cap(each_holds, why, reach=True)
        return found


def probe(site: Site, wanted: int, on_ready: Callable[[float], None], on_step: Callable[[Step], None]) -> Finding:
    """Deploys and climbs to `wanted` clients at least; tells of each step as it ends."""
    room = site.room()
    on_ready(site.deploy())
    steps: list[Step] = []
    while (clients := next_clients(steps, wanted)) is not None:
        steps.append(site.load(clients))
        on_step(steps[-1])
    needs = site.needs()
    limits = {name: bounds(name, needs, room) for name in needs}
    return Finding(room, needs, limits, tuple(sorted(steps, key=lambda step: step.clients)), sustained(steps))
