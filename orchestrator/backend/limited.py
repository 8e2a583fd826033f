"""A trial's place and its load when replicas have real limits: whether they can be set, and what comes of them.

The limit that all have, with limits of their own or not, is the memory of the machine.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import ray
from ray.exceptions import RayError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from orchestrator.assignment import Assignment
from orchestrator.environment import kernel_kills
from orchestrator.errors import DeploymentFailedError, InfeasibleError, ReplicaDiedError
from orchestrator.limits import ClockError, Clocks, GroupError, Groups, Limits, Usage
from orchestrator.observation import Observation
from orchestrator.serve_config import clocks_meanwhile, cores_later, is_limited
from orchestrator.trial import Load, Serving

SWEPT_WITHIN_S = 5.0
"""A replica that was told to end has ended by then."""

MEASURE, DRAIN = "measure", "drain"
"""Phases of a load, at whose beginnings is read what was used."""


class Watch:
    """Watches the control groups of the replicas of one slot on this machine, and sets the clock of its GPUs."""

    def __init__(
        self,
        slot: str,
        groups: Groups | None = None,
        clocks: Clocks | None = None,
        kills: Callable[[], int] = lambda: kernel_kills(Path("/proc/vmstat")),
    ) -> None:
        self._groups = groups or Groups()
        self._clocks = clocks or Clocks()
        self._kills = kills
        self._kills_before = 0
        self._clocked = False
        self._prefix = f"{slot}-"
        self._before: Usage | None = None  # None: what is deployed has no limits

    def begin(self, application: Mapping) -> None:
        """This application is going to be deployed; InfeasibleError where its limits cannot be set."""
        self._groups.remove(self._prefix)
        self._before, self._kills_before = None, self._kills()
        self._set_clock(clocks_meanwhile(application))
        if not is_limited(application):
            return
        if problem := self._groups.problem():
            raise InfeasibleError(f"limits cannot be set on this machine: {problem}; see docs/limits.md")
        self._before = self._groups.usage(self._prefix)

    def tighten(self, application: Mapping) -> None:
        """The replicas have started up, at full speed: from now on they have the CPU time that they are to have.

        InfeasibleError where that cannot be set.
        """
        try:
            for group, cores in cores_later(application).items():
                self._groups.limit(f"{group}-", Limits(cpu=cores))
        except GroupError as error:
            raise InfeasibleError(f"limits cannot be set on this machine: {error}; see docs/limits.md") from error

    def usage(self) -> Usage | None:
        """Of all groups of the slot; None when what is deployed has no limits on CPU or memory."""
        return None if self._before is None else self._groups.usage(self._prefix)

    def clock_mhz(self) -> float:
        """Of the GPUs; NaN when it was not set."""
        return self._clocks.now() if self._clocked else math.nan

    def close(self) -> None:
        """The GPUs choose their clocks themselves again."""
        if self._clocked:
            self._clocked = False
            self._clocks.reset()

    def check(self) -> None:
        """InfeasibleError if a process was killed because its replica had no memory left."""
        usage = self.usage()
        if usage is not None and self._before is not None and (killed := usage.killed - self._before.killed):
            raise InfeasibleError(
                f"a replica needs more memory than its limit (limits.memory_mb): {killed} of its processes "
                f"{'was' if killed == 1 else 'were'} killed"
            )

    def check_death(self) -> None:
        """A replica has died without a word: InfeasibleError if the kernel has killed a process since `begin`."""
        if self._kills() > self._kills_before:
            raise InfeasibleError(
                "the kernel killed a replica while it started: the machine, or the container that Ray is in, had no "
                "memory left"
            )

    def _set_clock(self, wanted: set[float]) -> None:
        self.close()
        if not wanted:
            return
        if len(wanted) > 1:
            asked = " and ".join(f"{mhz:g}" for mhz in sorted(wanted))
            raise InfeasibleError(f"limits.gpu_clock_mhz is that of the whole node, and {asked} MHz are asked for")
        try:
            self._clocks.lock(wanted.pop())
        except ClockError as error:
            raise InfeasibleError(
                f"the GPU clock (limits.gpu_clock_mhz) cannot be set on this machine: {error}; see docs/limits.md"
            ) from error
        self._clocked = True


def sweep(nodes: Sequence[str], slots: Iterable[str], clocks: bool) -> None:
    """Removes the groups of the slots' replicas on these nodes, when the replicas have ended; what is left is empty.

    With `clocks` the GPUs there choose their clocks themselves again: whoever set them may have been killed.
    """
    if not ray.is_initialized():  # the cluster has gone, and asking would start another one
        return
    prefixes = [f"{slot}-" for slot in slots]
    swept = ray.remote(num_cpus=0)(_swept)
    tasks = [
        swept.options(scheduling_strategy=NodeAffinitySchedulingStrategy(node, soft=False)).remote(prefixes, clocks)
        for node in nodes
    ]
    with suppress(RayError):  # a node that is gone has no groups any more
        ray.get(tasks, timeout=2 * SWEPT_WITHIN_S)


def _swept(prefixes: Sequence[str], clocks: bool) -> None:
    if clocks:
        Clocks().reset()
    groups, end = Groups(), time.monotonic() + SWEPT_WITHIN_S
    while any(groups.names(prefix) for prefix in prefixes) and time.monotonic() < end:
        for prefix in prefixes:
            groups.remove(prefix)
        time.sleep(0.1)


class LimitedServing:
    """A slot whose replicas may have limits."""

    def __init__(self, serving: Serving, watch: Watch) -> None:
        self._serving = serving
        self._watch = watch

    @property
    def slot(self) -> str:
        """See `orchestrator.trial.Serving.slot`."""
        return self._serving.slot

    @property
    def node_id(self) -> str | None:
        """See `orchestrator.trial.Serving.node_id`."""
        return self._serving.node_id

    def deploy(self, application: dict, timeout_s: float) -> str:
        """See `orchestrator.trial.Serving.deploy`; whatever fails for want of memory is infeasible."""
        self._watch.begin(application)
        try:
            url = self._serving.deploy(application, timeout_s)
            self._watch.tighten(application)
            return url
        except (InfeasibleError, DeploymentFailedError) as error:
            self._watch.check()
            if isinstance(error, ReplicaDiedError):
                self._watch.check_death()
            raise

    def clear(self) -> None:
        """See `orchestrator.trial.Serving.clear`."""
        self._serving.clear()


class LimitedLoad:
    """A load that notices when a replica is killed for want of memory, and how long replicas had no CPU time left."""

    def __init__(self, load: Load, watch: Watch) -> None:
        self._load = load
        self._watch = watch

    def run(
        self,
        url: str,
        application: Mapping,
        assignment: Assignment,
        ceiling_rps: float,
        on_phase: Callable[[str], None],
    ) -> Observation:
        """See `orchestrator.trial.Load.run`. InfeasibleError: a replica was killed."""
        looks: dict[str, _Look] = {}

        def look(phase: str) -> None:
            looks[phase] = _Look(time.monotonic(), self._watch.usage(), self._watch.clock_mhz())
            on_phase(phase)

        seen = self._load.run(url, application, assignment, ceiling_rps, look)
        self._watch.check()
        if not {MEASURE, DRAIN} <= looks.keys():
            return seen
        return replace(seen, machine={**seen.machine, **_between(looks[MEASURE], looks[DRAIN])})


class _Look(NamedTuple):
    at_s: float
    usage: Usage | None
    clock_mhz: float


def _between(first: _Look, last: _Look) -> dict[str, float]:
    """Figures of a stretch of time; what was used is told a second."""
    (began, before, _), (ended, after, clock_mhz) = first, last
    passed = max(ended - began, 1e-9)
    clocked = {} if math.isnan(clock_mhz) else {"limited_gpu_clock_mhz": clock_mhz}
    if before is None or after is None:
        return clocked
    return {
        **clocked,
        "limited_cpu_cores": (after.cpu_s - before.cpu_s) / passed,
        "limited_throttled_cores": (after.throttled_s - before.throttled_s) / passed,
        "limited_memory_mib": after.memory_mb,
    }
