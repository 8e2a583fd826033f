"""What each replica of a Serve application on this machine takes, deployment by deployment."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

import psutil

_TITLE = re.compile(r"ray::ServeReplica:(?P<application>[^:]+):(?P<deployment>[^.:\s]+)")
_MIB = 2**20


class ReplicaUse(NamedTuple):
    """CPU time so far, and the memory that would be free without this replica: what no other process shares."""

    deployment: str
    cpu_s: float
    memory_mib: float


class Share(NamedTuple):
    """What the replicas of one deployment took: how many there were, the most memory of one, the mean cores of one."""

    replicas: int
    memory_mib: float
    cores: float


def replicas_of(application: str) -> dict[int, ReplicaUse]:
    """By process id; whoever ends meanwhile, or is not ours to look at, is left out."""
    found = {}
    for process in psutil.process_iter():
        try:
            title = _TITLE.match(" ".join(process.cmdline()))
            if title and title["application"] == application:
                times = process.cpu_times()
                memory_mib = process.memory_full_info().uss / _MIB
                found[process.pid] = ReplicaUse(title["deployment"], times.user + times.system, memory_mib)
        except psutil.Error:
            continue
    return found


def shares(before: Mapping[int, ReplicaUse], after: Mapping[int, ReplicaUse], seconds: float) -> dict[str, Share]:
    """By deployment, from two looks that are so many seconds apart; a replica that was not there before is new."""
    by_deployment: dict[str, list[tuple[ReplicaUse, float]]] = {}
    for pid, now in after.items():
        used_s = now.cpu_s - (before[pid].cpu_s if pid in before else 0.0)
        by_deployment.setdefault(now.deployment, []).append((now, used_s / max(seconds, 1e-9)))
    return {
        name: Share(len(found), max(use.memory_mib for use, _ in found), sum(cores for _, cores in found) / len(found))
        for name, found in by_deployment.items()
    }
