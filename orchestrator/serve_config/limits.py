"""Our own option of a deployment: `limits: {cpu: 0.5, memory_mb: 700}`, what each of its replicas may really use.

`gpu_clock_mhz` beside them is the clock of the GPUs that its replicas run on, and so of the whole node.

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
_GROUP, _LATER, _CLOCK, _CLOCK_MEANWHILE = "--group", "--cpu-later", "--gpu-clock-mhz", "--gpu-clock-meanwhile"


class Limits(BaseModel):
    """`cpu` in cores, `memory_mb` in MiB, `gpu_clock_mhz` in MHz; what is left out is not limited."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    cpu: float | None = Field(default=None, ge=0.01)
    memory_mb: float | None = Field(default=None, ge=16)
    gpu_clock_mhz: float | None = Field(default=None, ge=1)


def is_limited(app: Mapping[str, Any]) -> bool:
    """Whether an app as Serve takes it has replicas with limits on CPU or memory."""
    return any(_STARTER in words and _GROUP in words for words in _commands(app))


def may_be_limited(app: Mapping[str, Any], knobs: Iterable[str]) -> bool:
    """Whether an app of an experiment has limits, or one of the knobs, which are paths, gives it some."""
    return any(entry.get("limits") for entry in deployments(app)) or any(".limits." in f"{path}." for path in knobs)


def may_set_clocks(app: Mapping[str, Any], knobs: Iterable[str]) -> bool:
    """Whether an app of an experiment sets the clock of GPUs, or one of the knobs may."""
    named = any("gpu_clock_mhz" in (entry.get("limits") or {}) for entry in deployments(app))
    return named or any(path.endswith((".limits", ".limits.gpu_clock_mhz")) for path in knobs)


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
    return {_after(_GROUP, words): float(_after(_LATER, words)) for words in _commands(app) if _LATER in words}


def clocks_meanwhile(app: Mapping[str, Any]) -> set[float]:
    """Of an app as Serve takes it, made `with_limits` that come later: the clocks of GPUs that it asks for, in MHz."""
    return {float(_after(_CLOCK_MEANWHILE, words)) for words in _commands(app) if _CLOCK_MEANWHILE in words}


def with_limits(app: Mapping[str, Any], python: str, group: str, later: bool = False) -> dict[str, Any]:
    """The app as Serve takes it: limits have become the command that starts the workers.

    `python` is the interpreter on the nodes, `group` the beginning of the names of the control groups. With `later`,
    somebody else sets the CPU time and the clock.
    """
    limited = plain(app)
    limits = taken_out(limited)
    for index, raw in limits.items():
        entry, own = limited["deployments"][index], Limits(**raw)
        command = [python, "-m", _STARTER]
        command += [] if own.cpu is None and own.memory_mb is None else [_GROUP, f"{group}{entry['name']}"]
        command += [] if own.cpu is None else [_LATER if later else "--cpu", f"{own.cpu:g}"]
        command += [] if own.memory_mb is None else ["--memory-mb", f"{own.memory_mb:g}"]
        clock = _CLOCK_MEANWHILE if later else _CLOCK
        command += [] if own.gpu_clock_mhz is None else [clock, f"{own.gpu_clock_mhz:g}"]
        environment = {**_environment(entry), "py_executable": shlex.join([*command, python])}
        entry["ray_actor_options"] = {**(entry.get("ray_actor_options") or {}), "runtime_env": environment}
    return limited


def _commands(app: Mapping[str, Any]) -> list[list[str]]:
    """The words of the command that starts the workers of each deployment."""
    return [shlex.split(_environment(entry).get("py_executable") or "") for entry in deployments(app)]


def _after(option: str, words: list[str]) -> str:
    return words[words.index(option) + 1]


def _environment(entry: Mapping[str, Any]) -> dict[str, Any]:
    return dict((entry.get("ray_actor_options") or {}).get("runtime_env") or {})
