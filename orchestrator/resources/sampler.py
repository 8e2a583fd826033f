"""CPU, memory, disks, network and GPUs over a window of time, from samples taken twice a second.

The machine is what psutil says it is: in a container /proc/stat may be the host's, and the machine's shares then are
too.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields
from typing import NamedTuple

import numpy as np
import psutil

from orchestrator.resources.gpus import Gpus
from orchestrator.resources.processes import GROUPS, IDLE, Groups, Members
from orchestrator.resources.traffic import Moved, moved

PERIOD_S = 0.5

LOOK_EVERY = 4
"""Samples from one look for new processes to the next: reading who somebody is costs more than what he uses."""

COVERED_SHARE = 0.5
"""Of a window; with less of it sampled nothing is said about it."""

_MIB = 2**20


@dataclass(frozen=True)
class ResourceUse:
    """What was used during a window; NaN is unknown, as for a group without a process on this machine.

    CPU is a mean, in cores; memory the largest sum of resident sets seen, in which pages that processes share count
    for each of them. The machine's shares are of the CPU time that it got (all of it, for steal); what processes of
    the scheduling class "idle" use counts as idle, for they give way at once.
    """

    replica_cpu_cores: float = math.nan
    proxy_cpu_cores: float = math.nan
    client_cpu_cores: float = math.nan
    ray_cpu_cores: float = math.nan
    replica_memory_mib: float = math.nan
    proxy_memory_mib: float = math.nan
    client_memory_mib: float = math.nan
    ray_memory_mib: float = math.nan
    machine_cores: float = math.nan
    machine_busy_share: float = math.nan
    others_cpu_share: float = math.nan  # by processes of no group; the kernel's interrupts are left out
    steal_share: float = math.nan  # taken by the hypervisor
    iowait_share: float = math.nan  # idle while somebody waited for a disk
    disk_mib_s: float = math.nan  # read and written
    network_mib_s: float = math.nan  # sent and received, loopback left out
    gpu_busy_share: float = math.nan  # mean over this machine's GPUs
    gpu_memory_mib: float = math.nan  # sum over them, whoever uses it

    def metrics(self) -> dict[str, float]:
        """Name -> value of what is known."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: value for name, value in values.items() if not math.isnan(value)}


class _Sample(NamedTuple):
    at_s: float
    total_s: float  # CPU time of all cores since the start of the machine, and the parts of it
    busy_s: float
    interrupts_s: float
    steal_s: float
    iowait_s: float
    moved: Moved
    cpu_s: tuple[float, ...]  # by group, since the sampler started; NaN before its first process is seen
    memory: tuple[float, ...]  # by group, bytes


class ResourceSampler:
    """Samples in a thread of its own from `__enter__` to `__exit__`; times are readings of `clock`, in seconds."""

    def __init__(self, groups: Groups, clock: Callable[[], float] = time.perf_counter) -> None:
        self._groups = groups
        self._clock = clock
        self._samples: list[_Sample] = []
        self._members = Members(groups)
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="resources", daemon=True)
        self._gpus: Gpus | None = None

    def __enter__(self) -> ResourceSampler:
        self.sample()
        self._gpus = Gpus(self._clock)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        if self._gpus:
            self._gpus.close()

    def _run(self) -> None:
        while not self._stop.wait(PERIOD_S):
            self.sample()

    def sample(self) -> None:
        """Take one sample now."""
        with self._lock:
            if len(self._samples) % LOOK_EVERY == 0:
                self._members.look()
            times = psutil.cpu_times()._asdict()
            guests = times.get("guest", 0.0) + times.get("guest_nice", 0.0)  # Linux counts them as user time too
            interrupts, steal = times.get("irq", 0.0) + times.get("softirq", 0.0), times.get("steal", 0.0)
            total = sum(times.values()) - guests
            iowait = times.get("iowait", 0.0)
            busy = total - times["idle"] - iowait - steal
            cpu, memory = self._members.read()
            now = self._clock()
            self._samples.append(_Sample(now, total, busy, interrupts, steal, iowait, moved(), cpu, memory))

    def use(self, start: float, end: float) -> ResourceUse:
        """What was used from `start` to `end`, by linear interpolation between samples; NaN where that was not seen."""
        if self._thread.is_alive() and not (self._samples and self._samples[-1].at_s >= end):
            self.sample()
        samples = list(self._samples)
        gpu = self._gpus.use(start, end) if self._gpus else (math.nan, math.nan)
        at = np.array([sample.at_s for sample in samples])
        first, last = (max(start, at[0]), min(end, at[-1])) if len(at) > 1 else (0.0, 0.0)
        if not last - first > COVERED_SHARE * (end - start) >= 0:
            return ResourceUse(gpu_busy_share=gpu[0], gpu_memory_mib=gpu[1])

        def rate(values: Iterable[float]) -> float:
            before, after = np.interp((first, last), at, np.array(list(values)))
            return float(after - before) / (last - first)

        total, busy = rate(s.total_s for s in samples), rate(s.busy_s for s in samples)
        steal, interrupts = rate(s.steal_s for s in samples), rate(s.interrupts_s for s in samples)
        iowait = rate(s.iowait_s for s in samples)
        cores = dict(zip(GROUPS, (rate(s.cpu_s[i] for s in samples) for i in range(len(GROUPS))), strict=True))
        if not math.isnan(yielding := cores.pop(IDLE)):
            busy = max(0.0, busy - yielding)
        seen = slice(max(0, int(np.searchsorted(at, first, "right")) - 1), int(np.searchsorted(at, last)) + 1)
        memory = np.array([sample.memory for sample in samples[seen]]).max(axis=0) / _MIB
        given = total - steal
        ours = sum(used for used in cores.values() if not math.isnan(used))
        others = max(0.0, busy - interrupts - ours) if self._groups.complete else math.nan
        return ResourceUse(
            **{f"{group}_cpu_cores": used for group, used in cores.items()},
            **{f"{group}_memory_mib": float(memory[GROUPS.index(group)]) for group in cores},
            machine_cores=float(psutil.cpu_count() or math.nan),
            machine_busy_share=busy / given if given > 0 else math.nan,
            others_cpu_share=others / given if given > 0 else math.nan,
            steal_share=steal / total if total > 0 else math.nan,
            iowait_share=iowait / given if given > 0 else math.nan,
            disk_mib_s=rate(s.moved.disk for s in samples) / _MIB,
            network_mib_s=rate(s.moved.network for s in samples) / _MIB,
            gpu_busy_share=gpu[0],
            gpu_memory_mib=gpu[1],
        )
