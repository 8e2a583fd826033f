"""The null application: what client, proxy and router reach by themselves is the ceiling for every configuration."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from orchestrator.knob import Listed
from orchestrator.space import Condition, Knob, Space

IMPORT_PATH = "serve_apps.null:build"
REPLICAS = "num_replicas"


def null_application(app: Mapping[str, Any], space: Space) -> dict[str, Any]:
    """The Serve config of an application that does nothing, with as many replicas as any configuration may have.

    Its replicas ask for no CPU, so that they can always be placed.
    """
    entry = {"name": "Null", REPLICAS: _most_replicas(app, space), "ray_actor_options": {"num_cpus": 0}}
    return {"import_path": IMPORT_PATH, "deployments": [entry]}


def _most_replicas(app: Mapping[str, Any], space: Space) -> int:
    stated = [entry.get(REPLICAS) for entry in app.get("deployments") or () if isinstance(entry, Mapping)]
    counts = [value for value in (*stated, *_searched(space)) if isinstance(value, int) and not isinstance(value, bool)]
    return max([1, *counts])


def _searched(space: Space) -> Iterator[Any]:
    """Every value, of ranges the largest, that the space has for a number of replicas."""
    for path, knob in space.knobs.items():
        if path.endswith(f".{REPLICAS}"):
            yield from _largest(knob)
        if isinstance(knob, Condition):
            for branch in knob.branches:
                yield from _searched(branch.space)


def _largest(knob: Knob) -> list[Any]:
    return list(knob.listed()) if isinstance(knob, Listed) else [knob.decode(1.0)]
