"""What it costs to get from one app to another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from orchestrator.serve_config.app import deployments

# What Serve's `get_app_code_version` hashes of the application itself; another name is another application.
_REBUILDS = ("name", "import_path", "runtime_env", "args", "autoscaling_policy")

# `DeploymentVersion.requires_actor_restart`, and what `get_app_code_version` hashes of each deployment.
_REPLACES_REPLICAS = (
    "ray_actor_options",
    "limits",  # ours: a part of the runtime environment
    "placement_group_bundles",
    "placement_group_strategy",
    "placement_group_bundle_label_selector",
    "max_replicas_per_node",
    "gang_scheduling_config",
    "deployment_actors",
    "request_router_config",
)


def in_place(before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    """Whether Serve gets from one app to the other without replacing replicas; more or fewer are fine.

    All options that are not named above take effect in running replicas or in the controller alone.
    """
    if any(before.get(key) != after.get(key) for key in _REBUILDS) or _policies(before) != _policies(after):
        return False
    old, new = ({entry["name"]: entry for entry in deployments(app)} for app in (before, after))
    return not any(
        old.get(name, {}).get(option) != new.get(name, {}).get(option)
        for name in {*old, *new}
        for option in _REPLACES_REPLICAS
    )


def _policies(app: Mapping[str, Any]) -> list[Any]:
    """Part of the code version: an entry for each autoscaled deployment, so turning it on rebuilds too."""
    configs = [entry.get("autoscaling_config") for entry in deployments(app)]
    return [config.get("policy") for config in configs if isinstance(config, Mapping)]
