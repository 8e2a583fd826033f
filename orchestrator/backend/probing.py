"""A probe's place on a cluster: the baseline in a trial's slot, loaded from an actor on the slot's node."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import ray
from ray.exceptions import RayTaskError

from orchestrator.backend.stage import stage
from orchestrator.backend.trainable import TrialSetup, place_here
from orchestrator.cluster import TRIAL_SLOT, Cluster
from orchestrator.environment import allowed_cores, memory_mib
from orchestrator.errors import DeploymentFailedError
from orchestrator.experiment import Experiment
from orchestrator.feasible import Need, Room, Step
from orchestrator.feasible.climb import breaks
from orchestrator.measure.samples import Outcome
from orchestrator.names import limit_text
from orchestrator.observation import Observation
from orchestrator.pruning.resources import one_replica
from orchestrator.resources import Share, replicas_of, shares
from orchestrator.serve_config.app import deployments
from orchestrator.trial import trial_config

CGROUP = Path("/sys/fs/cgroup")


@contextmanager
def probe_site(cluster: Cluster, experiment: Experiment) -> Iterator[ClusterSite]:
    """A `Site` (`orchestrator.feasible.probe`) on the cluster; what was deployed is removed at the end."""
    with stage(cluster, experiment) as setup:
        resources = {TRIAL_SLOT: 1.0} if cluster.trial_nodes else {}
        actor = ray.remote(Prober).options(num_cpus=0, resources=resources).remote(setup)
        try:
            yield ClusterSite(actor, experiment, cluster.trial_resources)
        finally:
            ray.kill(actor)  # its load clients end with it


class ClusterSite:
    """Asks the actor on the node, and puts what it says into words."""

    def __init__(self, actor: Any, experiment: Experiment, nodes: tuple[dict[str, float], ...]) -> None:
        self._actor = actor
        self._experiment = experiment
        self._resources = nodes[0] if nodes else {}
        self._taken: dict[str, Share] = {}

    def room(self) -> Room:
        """See `Site`."""
        total, used, cores = _asked(self._actor.room.remote)
        return Room(total, used, cores, self._resources)

    def deploy(self) -> float:
        """See `Site`."""
        return float(_asked(self._actor.deploy.remote))

    def load(self, clients: int) -> Step:
        """See `Site`; remembers what the replicas took."""
        seen, taken = _asked(lambda: self._actor.load.remote(clients))
        self._remember(taken)
        return step_of(clients, seen, self._experiment)

    def needs(self) -> Mapping[str, Need]:
        """See `Site`."""
        reserved = {entry["name"]: one_replica(entry) for entry in deployments(self._experiment.app)}
        return {
            name: Need(each.replicas, each.memory_mib, each.cores, reserved.get(name, {"CPU": 1.0}))
            for name, each in self._taken.items()
        }

    def _remember(self, taken: Mapping[str, Share]) -> None:
        for name, now in taken.items():
            before = self._taken.get(name, now)
            self._taken[name] = Share(
                now.replicas, max(before.memory_mib, now.memory_mib), max(before.cores, now.cores)
            )


def step_of(clients: int, seen: Observation, experiment: Experiment) -> Step:
    """What a load says of the number of its clients, a limit at a time."""
    figures, limits = seen.measurement.metrics(), experiment.slo.limits()
    broken = breaks(
        figures,
        limits,
        timeouts=int(np.count_nonzero(seen.samples.outcome == Outcome.TIMEOUT)),
        timeout_s=experiment.workload.timeout_s,
        texts={name: limit_text(name, limit) for name, limit in limits.items()},
    )
    return Step(clients, seen.measurement.throughput_rps, broken, figures)


class Prober:
    """Deploys the baseline and puts loads on it; to be run as a Ray actor on the node of a slot."""

    def __init__(self, setup: TrialSetup) -> None:
        self._experiment = setup.experiment
        self._watch, self._serving, self._load = place_here(setup)
        self._url = ""

    def room(self) -> tuple[float, float, float]:
        """The node's memory, what of it is used, both in MiB, and its cores."""
        return *memory_mib(CGROUP), allowed_cores(CGROUP)

    def deploy(self) -> float:
        """See `Site`."""
        began = time.monotonic()
        config = trial_config(self._experiment.app, self._serving)["applications"][0]
        self._url = self._serving.deploy(config, self._experiment.deploy_timeout_s)
        return time.monotonic() - began

    def load(self, clients: int) -> tuple[Observation, dict[str, Share]]:
        """One closed loop of so many clients, and what the replicas took meanwhile."""
        self._load.prepare(self._url, self._experiment.baseline())
        before, began = replicas_of(self._serving.slot), time.monotonic()
        seen = self._load.closed_loop(self._experiment.app, clients)
        taken = shares(before, replicas_of(self._serving.slot), time.monotonic() - began)
        self._watch.check()
        if not taken:
            raise DeploymentFailedError("no process of a replica can be seen on the node: have they all died?")
        return seen, taken


def _asked(call: Callable[[], Any]) -> Any:
    """The answer of the actor; its own exception rather than Ray's wrapper, whose text is a traceback."""
    try:
        return ray.get(call())
    except RayTaskError as error:
        raise error.cause from None
