"""Whether the replicas of an application can be placed on one node."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from orchestrator.plain import is_number
from orchestrator.pruned import RESOURCES
from orchestrator.pruning.reasons import Finding
from orchestrator.serve_config.app import deployments
from orchestrator.serve_config.schema import DEPLOYMENT_DEFAULTS
from orchestrator.serve_config.settings import NUM_REPLICAS

SMALLEST = 1e-4
"""Ray counts resources in ten-thousandths."""


@dataclass(frozen=True)
class Node:
    """What a node has of each resource, by Ray's names (CPU, GPU, memory in bytes, custom ones).

    `others` is what it has of those that are not listed: 0, or infinite where that is not known.
    """

    resources: Mapping[str, float]
    others: float = 0.0

    @classmethod
    def largest_of(cls, nodes: Iterable[Mapping[str, float]]) -> Node:
        """Has of each resource the most that one of the nodes has: what it cannot hold, none of them can."""
        most: Counter[str] = Counter()
        for resources in nodes:
            most |= Counter(resources)
        return cls(dict(most))

    def has(self, resource: str) -> float:
        """How much of a resource there is."""
        return self.resources.get(resource, self.others)


def lacking(app: Mapping[str, Any], node: Node) -> Finding | None:
    """What all replicas of the app together need and the node does not have.

    Of an autoscaled deployment count the replicas that it always has.
    """
    parts: dict[str, list[_Part]] = {}
    for entry in deployments(app):
        for resource, each in one_replica(entry).items():
            parts.setdefault(resource, []).append(_Part(entry["name"], _replicas(entry), each))
    for resource, wanted in parts.items():
        needed = max(sum(part.replicas * part.each for part in wanted), *(_devices(part, resource) for part in wanted))
        if needed > node.has(resource) + SMALLEST:
            listed = ", ".join(f"{part.name} {part.replicas:g} x {_amount(part.each, resource)}" for part in wanted)
            has = _amount(node.has(resource), resource)
            return Finding(RESOURCES, f"needs {_amount(needed, resource)} {resource} ({listed}), and a node has {has}")
    return None


class _Part(NamedTuple):
    """What one deployment needs of a resource."""

    name: str
    replicas: float
    each: float


def _replicas(entry: Mapping[str, Any]) -> float:
    scaling = entry.get("autoscaling_config")
    stated = scaling.get("min_replicas") if isinstance(scaling, Mapping) else entry.get(NUM_REPLICAS)
    return _number(stated, DEPLOYMENT_DEFAULTS[NUM_REPLICAS])


def one_replica(entry: Mapping[str, Any]) -> dict[str, float]:
    """What a replica needs on its node, as Serve's own scheduler reckons (`ReplicaSchedulingRequest`).

    Of a placement group that is the first bundle, unless all have to be on one node.
    """
    bundles = entry.get("placement_group_bundles")
    if bundles:
        together = entry.get("placement_group_strategy") == "STRICT_PACK"
        total: Counter[str] = Counter()
        for bundle in bundles if together else bundles[:1]:
            total.update(bundle)
        return dict(total)
    options = entry.get("ray_actor_options") or {}
    cpus = _number(options.get("num_cpus"), DEPLOYMENT_DEFAULTS["ray_actor_options.num_cpus"])
    named = {"CPU": cpus, "GPU": options.get("num_gpus"), "memory": options.get("memory")}
    return {name: _number(amount) for name, amount in {**named, **(options.get("resources") or {})}.items()}


def _devices(part: _Part, resource: str) -> float:
    """GPUs, which two replicas share only if both fit: with 0.6 of one each, no two do."""
    if resource != "GPU" or not 0 < part.each < 1:
        return 0.0
    return math.ceil(part.replicas / math.floor(1 / part.each + SMALLEST))


def _number(value: Any, otherwise: float = 0.0) -> float:
    return float(value) if is_number(value) else otherwise


def _amount(value: float, resource: str) -> str:
    return f"{value / 2**30:.3g} GiB" if resource == "memory" else f"{value:.6g}"
