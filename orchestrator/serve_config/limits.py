"""Our own option of a deployment: `limits: {cpu: 0.5, memory_mb: 700}`, what each of its replicas may really use.

Serve has no such option. What it gets is the command that starts the replicas' workers within the limits, as
`runtime_env.py_executable` of the deployment's `ray_actor_options` (see `orchestrator.limits`).
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from orchestrator.serve_config.app import deployments, plain

_STARTER = "orchestrator.limits"
_LATER = "--cpu-later"


class Limits(BaseModel):
    """`cpu` in cores, `memory_mb` in MiB; what is left out is not limited."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    cpu: float | None = Field(default=None, ge=0.01)
    memory_mb: float | None = Field(default=None, ge=16)


def is_limited(app: Mapping[str, Any]) -> bool:
    """Whether an app as Serve takes it has replicas with limits."""
    return any(_STARTER in _environment(entry).get("py_executable", "") for entry in deployments(app))


def may_be_limited(app: Mapping[str, Any], knobs: Iterable[str]) -> bool:
    """Whether an app of an experiment has limits, or one of the knobs, which are paths, gives it some."""
    return any(entry.get("limits") for entry in deployments(app)) or any(".limits." in f"{path}." for path in knobs)


def taken_out(app: dict[str, Any]) -> dict[int, Any]:
    """Takes the limits out of an app's deployments, and returns them by the place of their deployment."""
    found = {}
    listed = app.get("deployments")
    for index, entry in enumerate(listed if isinstance(listed, list) else ()):
        limits = entry.pop("limits", None) if isinstance(entry, dict) else None
        if limits is not None:
            found[index] = limits
    return found


def cores_later(app: Mapping[str, Any]) -> dict[str, float]:
    """Of an app as Serve takes it, made `with_limits` that come later: cores by the beginning of the groups' names."""
    found = {}
    for entry in deployments(app):
        words = shlex.split(_environment(entry).get("py_executable", ""))
        if _LATER in words:
            found[words[words.index("--group") + 1]] = float(words[words.index(_LATER) + 1])
    return found


def with_limits(app: Mapping[str, Any], python: str, group: str, later: bool = False) -> dict[str, Any]:
    """The app as Serve takes it: limits have become the command that starts the workers.

    `python` is the interpreter on the nodes, `group` the beginning of the names of the control groups.
    """
    limited = plain(app)
    limits = taken_out(limited)
    for index, raw in limits.items():
        entry, own = limited["deployments"][index], Limits(**raw)
        command = [python, "-m", _STARTER, "--group", f"{group}{entry['name']}"]
        command += [] if own.cpu is None else [_LATER if later else "--cpu", f"{own.cpu:g}"]
        command += [] if own.memory_mb is None else ["--memory-mb", f"{own.memory_mb:g}"]
        environment = {**_environment(entry), "py_executable": shlex.join([*command, python])}
        entry["ray_actor_options"] = {**(entry.get("ray_actor_options") or {}), "runtime_env": environment}
    return limited


def _environment(entry: Mapping[str, Any]) -> dict[str, Any]:
    return dict((entry.get("ray_actor_options") or {}).get("runtime_env") or {})
