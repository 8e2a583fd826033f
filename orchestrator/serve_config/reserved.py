"""What an app reserves of a cluster."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from orchestrator.serve_config.app import deployments
from orchestrator.serve_config.schema import DEPLOYMENT_DEFAULTS

AUTO_MAX_REPLICAS = 100
"""Serve's own, of `num_replicas: auto` (a test compares)."""


class Reserved(NamedTuple):
    """Logical resources of Ray, all replicas together."""

    cpus: float = 0.0
    gpus: float = 0.0
    memory_bytes: float = 0.0


def reserved(app: Mapping[str, Any]) -> Reserved:
    """What the replicas of a valid app reserve, as many as it allows; by Serve's own rules where it is silent.

    Deployments that only the app's code knows are not seen.
    """
    total = Reserved()
    for entry in deployments(app):
        replicas, each = _most_replicas(entry), _of_a_replica(entry)
        total = Reserved(*(sum_ + replicas * own for sum_, own in zip(total, each, strict=True)))
    return total


def _most_replicas(entry: Mapping[str, Any]) -> float:
    count, autoscaling = entry.get("num_replicas"), entry.get("autoscaling_config")
    if count == "auto" or autoscaling:
        return float((autoscaling or {}).get("max_replicas", AUTO_MAX_REPLICAS if count == "auto" else 1))
    return float(count or DEPLOYMENT_DEFAULTS["num_replicas"])


def _of_a_replica(entry: Mapping[str, Any]) -> Reserved:
    """Its placement group where it has one: the replica itself runs in the first of the bundles."""
    if bundles := entry.get("placement_group_bundles"):
        return Reserved(*(sum(bundle.get(name, 0.0) for bundle in bundles) for name in ("CPU", "GPU", "memory")))
    options = entry.get("ray_actor_options") or {}
    cpus = options.get("num_cpus")
    return Reserved(
        DEPLOYMENT_DEFAULTS["ray_actor_options.num_cpus"] if cpus is None else cpus,
        options.get("num_gpus") or 0.0,
        options.get("memory") or 0.0,
    )
