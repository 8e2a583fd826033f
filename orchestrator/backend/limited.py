"""A trial's place and its load when replicas have real limits: whether they can be set, and what comes of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace

import ray
from ray.exceptions import RayError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from orchestrator.assignment import Assignment
from orchestrator.errors import DeploymentFailedError, InfeasibleError
from orchestrator.limits import GroupError, Groups, Limits, Usage
from orchestrator.observation import Observation
from orchestrator.serve_config import cores_later, is_limited
from orchestrator.trial import Load, Serving

SWEPT_WITHIN_S = 5.0
"""A replica that was told to end has ended by then."""

MEASURE, DRAIN = "measure", "drain"
"""Phases of a load, at whose beginnings is read what was used."""


class Watch:
    """Watches the control groups of the replicas of one slot on this machine."""

    def __init__(self, slot: str, groups: Groups | None = None) -> None:
        self._groups = groups or Groups()
        self._prefix = f"{slot}-"
        self._before: Usage | None = None  # None: what is deployed has no limits

    def begin(self, application: Mapping) -> None:
        """This application is going to be deployed; InfeasibleError where its limits cannot be set."""
        self._groups.remove(self._prefix)
        self._before = None
        if not is_limited(application):
            return
        if problem := self._groups.problem():
            raise InfeasibleError(f"limits cannot be set on this machine: {problem}; see docs/limits.md")
        self._before = self.usage()

    def tighten(self, application: Mapping) -> None:
        """The replicas have started up, at full speed: from now on they have the CPU time that they are to have.

        InfeasibleError where that cannot be set.
        """
        try:
            for group, cores in cores_later(application).items():
                self._groups.limit(f"{group}-", Limits(cpu=cores))
        except GroupError as error:
            raise InfeasibleError(f"limits cannot be set on this machine: {error}; see docs/limits.md") from error

    def usage(self) -> Usage:
        """Of all groups of the slot."""
        return self._groups.usage(self._prefix)

    @property
    def active(self) -> bool:
        """Whether what is deployed has limits."""
        return self._before is not None

    def check(self) -> None:
        """InfeasibleError if a process was killed because its replica had no memory left."""
        if self._before is not None and (killed := self.usage().killed - self._before.killed):
            raise InfeasibleError(
                f"a replica needs more memory than its limit (limits.memory_mb): {killed} of its processes "
                f"{'was' if killed == 1 else 'were'} killed"
            )


def sweep(nodes: Sequence[str], slots: Iterable[str]) -> None:
    """Removes the groups of the slots' replicas on these nodes, when the replicas have ended; what is left is empty."""
    if not ray.is_initialized():  # the cluster has gone, and asking would start another one
        return
    prefixes = [f"{slot}-" for slot in slots]
    swept = ray.remote(num_cpus=0)(_swept)
    tasks = [
        swept.options(scheduling_strategy=NodeAffinitySchedulingStrategy(node, soft=False)).remote(prefixes)
        for node in nodes
    ]
    with suppress(RayError):  # a node that is gone has no groups any more
        ray.get(tasks, timeout=2 * SWEPT_WITHIN_S)


def _swept(prefixes: Sequence[str]) -> None:
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
        except (InfeasibleError, DeploymentFailedError):
            self._watch.check()
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
        looks: dict[str, tuple[float, Usage]] = {}

        def look(phase: str) -> None:
            looks[phase] = (time.monotonic(), self._watch.usage())
            on_phase(phase)

        seen = self._load.run(url, application, assignment, ceiling_rps, look if self._watch.active else on_phase)
        self._watch.check()
        if not {MEASURE, DRAIN} <= looks.keys():
            return seen
        return replace(seen, machine={**seen.machine, **_between(looks[MEASURE], looks[DRAIN])})


def _between(first: tuple[float, Usage], last: tuple[float, Usage]) -> dict[str, float]:
    """Figures of a stretch of time; what was used is told a second."""
    (began, before), (ended, after) = first, last
    passed = max(ended - began, 1e-9)
    return {
        "limited_cpu_cores": (after.cpu_s - before.cpu_s) / passed,
        "limited_throttled_cores": (after.throttled_s - before.throttled_s) / passed,
        "limited_memory_mib": after.memory_mb,
    }
