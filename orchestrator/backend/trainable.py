"""A trial as Ray Tune runs it: an actor on the trial's node, reused from trial to trial."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ray
from ray.exceptions import RayTaskError

from orchestrator.assignment import Assignment
from orchestrator.backend.limited import LimitedLoad, LimitedServing, Watch
from orchestrator.backend.remote_load import RemoteLoad
from orchestrator.backend.study_trial import StudyTrial
from orchestrator.ceiling import null_application
from orchestrator.environment import allowed_cores
from orchestrator.errors import DeploymentFailedError, InfeasibleError, PayloadError
from orchestrator.experiment import Experiment, lightest
from orchestrator.result import TrialResult
from orchestrator.trial import Place, run_trial, trial_config

LOOK_S = 0.5
"""Between two looks at what may end the waiting for an application."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class TrialSetup:
    """What every trial actor is given: actor handles, and which slot belongs to which node.

    `slots` maps node ids to slot names. `pinned` keeps a trial's replicas on its node: wherever there are others.
    `nodes` are the ids of all nodes.
    """

    experiment: Experiment
    writer: Any
    feed: Any
    slots: Mapping[str, str]
    pinned: bool
    nodes: tuple[str, ...]
    data_plane: str | None


class ServeTrial(StudyTrial):
    """Runs `run_trial` once per step. The first one finds the ceiling of its place before."""

    def setup(self, config: dict[str, Any], setup: Any) -> None:
        """See `StudyTrial`; what it is given is a `TrialSetup`."""
        super().setup(config, setup)
        self._setup: TrialSetup = setup
        self._watch, self._serving, self._load = place_here(setup)
        self._place: Place | None = None

    def measured(self, assignment: Assignment, on_phase: Callable[[str], None]) -> TrialResult:
        """See `StudyTrial`."""
        if self._place is None:
            on_phase("calibrate")
            self._place = Place(allowed_cores(Path("/sys/fs/cgroup")), self._ceiling(), self._setup.data_plane)
        return run_trial(
            assignment,
            self._setup.experiment,
            serving=self._serving,
            load=LimitedLoad(self._load, self._watch),
            clock=time.monotonic,
            on_phase=on_phase,
            place=self._place,
        )

    def _ceiling(self) -> float:
        """What the null application reaches here, requests/s; NaN where it is not asked for or cannot be had."""
        experiment = self._setup.experiment
        if not experiment.measure.ceiling or experiment.load.kind == "open_loop":
            return math.nan  # at a rate that is given, nobody reaches it
        try:
            if experiment.workload.asks_the_application:
                self._load.prepare(self._deployed(experiment.app), lightest(experiment))
            return self._load.ceiling(self._deployed(null_application(experiment.app, experiment.space)))
        except (InfeasibleError, DeploymentFailedError, PayloadError) as error:
            _log.warning("the ceiling of client and proxy is not known: %s", error)
            return math.nan

    def _deployed(self, application: dict[str, Any]) -> str:
        config = trial_config(application, self._serving)
        return self._serving.deploy(config["applications"][0], self._setup.experiment.deploy_timeout_s)

    def cleanup(self) -> None:
        """Ends the load client with the actor, and gives the GPUs back their clocks."""
        self._load.close()
        self._watch.close()


@dataclass(frozen=True)
class SlotServing:
    """The trial's place on the cluster, behind the writer; what `meanwhile` raises ends the waiting for it."""

    writer: Any
    slot: str
    node_id: str | None
    meanwhile: Callable[[], None]

    def deploy(self, application: dict, timeout_s: float) -> str:
        """See `orchestrator.trial.Serving.deploy`."""
        return str(_ask(lambda: self.writer.deploy.remote(self.slot, application, timeout_s), self.meanwhile))

    def clear(self) -> None:
        """See `orchestrator.trial.Serving.clear`."""
        _ask(lambda: self.writer.clear.remote(self.slot), lambda: None)


def place_here(setup: TrialSetup) -> tuple[Watch, LimitedServing, RemoteLoad]:
    """The slot of the node that this process is on, and the load for it."""
    node_id = ray.get_runtime_context().get_node_id()
    slot = setup.slots.get(node_id) or next(iter(setup.slots.values()))
    watch = Watch(slot)
    serving = LimitedServing(SlotServing(setup.writer, slot, node_id if setup.pinned else None, watch.check), watch)
    elsewhere = setup.experiment.load.placement == "other_node"
    load = RemoteLoad(
        setup.experiment,
        slot,
        nodes=_others(node_id, setup) if elsewhere else (node_id,),
        host=ray.util.get_node_ip_address() if elsewhere else None,
    )
    return watch, serving, load


def _others(node_id: str, setup: TrialSetup) -> tuple[str, ...]:
    """The nodes without trials, or where there are none all others."""
    free = tuple(node for node in setup.nodes if node not in setup.slots)
    return free or tuple(node for node in setup.nodes if node != node_id)


def _ask(call: Callable[[], Any], meanwhile: Callable[[], None]) -> Any:
    """The answer of an actor; its own exception rather than Ray's wrapper, whose text is a traceback."""
    asked = call()
    while not ray.wait([asked], timeout=LOOK_S)[0]:
        meanwhile()
    try:
        return ray.get(asked)
    except RayTaskError as error:
        raise error.cause from None
