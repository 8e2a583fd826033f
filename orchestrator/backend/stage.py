"""What trials need of a cluster before the first of them: the Serve writer, a slot on each node; and its clean-up."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

import ray
from ray.exceptions import GetTimeoutError, RayActorError

from orchestrator.backend.job_trial import JobSetup
from orchestrator.backend.limited import sweep
from orchestrator.backend.trainable import TrialSetup
from orchestrator.cluster import Cluster
from orchestrator.errors import ClusterError
from orchestrator.experiment import Experiment
from orchestrator.serve_config import may_be_limited, may_set_clocks
from orchestrator.serving.state import slot_name
from orchestrator.serving.writer import ServeWriter

WRITER_NAME = "orchestrator-serve-writer"
NAMESPACE = "orchestrator"

START_DEADLINE_S = 120.0
CLOSE_DEADLINE_S = 45.0


@contextmanager
def stage(cluster: Cluster, experiment: Experiment) -> Iterator[TrialSetup]:
    """What every trial of an experiment is given, but for the feed; however it ends, nothing of ours stays behind.

    ClusterError: Serve cannot be started, another study is at work here, or the load asks for more nodes.
    """
    _require_other_node(experiment.load.placement, cluster)
    public = experiment.load.placement == "other_node"
    slots = {node: slot_name(index) for index, node in enumerate(cluster.trial_nodes or ("any",))}
    app, knobs = experiment.app, experiment.space.paths()
    limited, clocks = may_be_limited(app, knobs), may_set_clocks(app, knobs)
    with _swept(cluster, slots if limited else {}, clocks), _writer(cluster, public) as writer:
        pinned = bool(cluster.trial_nodes) and cluster.node_count > 1
        yield TrialSetup(experiment, writer, None, slots, pinned, cluster.nodes, cluster.data_plane)


@contextmanager
def offline_stage(cluster: Cluster, experiment: Experiment) -> Iterator[JobSetup]:
    """The same for an offline study: no Serve, but nobody else measures on the cluster meanwhile.

    ClusterError: another study is at work here.
    """
    place = _only_one(Reservation, cluster)
    try:
        yield JobSetup(experiment, None)
    finally:
        ray.kill(place)


class Reservation:
    """Keeps the name that one study at a time has on a cluster."""


@contextmanager
def _swept(cluster: Cluster, slots: Mapping[str, str], clocks: bool) -> Iterator[None]:
    """At the end, when the applications are gone, their control groups go too; `slots` are those that have some.

    `clocks`: those of the GPUs were set, and are no longer.
    """
    try:
        yield
    finally:
        if slots:
            sweep(cluster.nodes, slots.values(), clocks)


@contextmanager
def _writer(cluster: Cluster, public: bool) -> Iterator[Any]:
    """The cluster's only Serve writer; at the end, however it comes, our applications are removed.

    A Serve that it has to start takes requests from other nodes if `public`, else only from its own.
    """
    writer = _only_one(ServeWriter, cluster, cluster.dashboard_url, cluster.http_port, public)
    try:
        try:
            ray.get(writer.start.remote(), timeout=START_DEADLINE_S)
        except GetTimeoutError:
            raise ClusterError(
                f"Ray Serve was not up after {START_DEADLINE_S:g} s; something else may keep the cluster's head node "
                "busy: try again when it is not"
            ) from None
        except (RayActorError, RuntimeError) as error:
            raise ClusterError(f"Ray Serve cannot be started: {error}") from error
        yield writer
    finally:
        try:
            with suppress(GetTimeoutError, RayActorError):  # a cluster that is gone has nothing left to remove
                ray.get(writer.close.remote(), timeout=CLOSE_DEADLINE_S)
        finally:
            ray.kill(writer)  # else its name stays taken, and with it the cluster


def _only_one(kind: type, cluster: Cluster, *arguments: Any) -> Any:
    """An actor that one study at a time has on a cluster; ClusterError when another one has it."""
    options = {"name": WRITER_NAME, "namespace": NAMESPACE, "num_cpus": 0}
    try:
        return ray.remote(kind).options(**options).remote(*arguments)
    except ValueError as error:
        raise ClusterError(f"another study is running on the cluster at {cluster.address}; wait for it") from error


def _require_other_node(placement: str, cluster: Cluster) -> None:
    if placement == "other_node" and cluster.node_count < 2:
        raise ClusterError(
            "load.placement: other_node needs a cluster with another node than the one that serves, and this one has "
            "a single node: use same_node, or add a node"
        )
