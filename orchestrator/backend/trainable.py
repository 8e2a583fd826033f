"""A trial as Ray Tune runs it: an actor on the trial's node, reused from trial to trial."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import ray
from ray import tune
from ray.exceptions import RayActorError, RayTaskError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from orchestrator.backend.load_client import LoadClient
from orchestrator.backend.port import report
from orchestrator.errors import DeploymentFailedError
from orchestrator.experiment import Experiment
from orchestrator.load.generator import LoadRecord
from orchestrator.trial import run_trial


@dataclass(frozen=True)
class TrialSetup:
    """What every trial actor is given: actor handles, and which slot belongs to which node.

    `slots` maps node ids to slot names. `pinned` keeps a trial's replicas on its node: wherever there are others.
    """

    experiment: Experiment
    writer: Any
    feed: Any
    slots: Mapping[str, str]
    pinned: bool


class ServeTrial(tune.Trainable):
    """Runs `run_trial` once per step; a step is a whole trial."""

    def setup(self, config: dict[str, Any], setup: TrialSetup) -> None:
        """Called once per actor, for the first of its trials."""
        del config
        self._setup = setup
        node_id = ray.get_runtime_context().get_node_id()
        self._serving = SlotServing(
            writer=setup.writer,
            slot=setup.slots.get(node_id) or next(iter(setup.slots.values())),
            node_id=node_id if setup.pinned else None,
        )
        self._load = RemoteLoad(setup.experiment, node_id)

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        """The next trial in the same actor: starting an actor costs more than most redeployments."""
        del new_config
        return True

    def step(self) -> dict[str, Any]:
        """One trial; the result goes through the feed, the searcher's part of it through Tune."""
        number, feed = self.config["number"], self._setup.feed
        result = run_trial(
            number=number,
            configuration=self.config["configuration"],
            experiment=self._setup.experiment,
            serving=self._serving,
            load=self._load,
            clock=time.monotonic,
            on_phase=lambda phase: feed.phase.remote(number, phase),
        )
        ray.get(feed.deliver.remote(result))
        return {**report(result), "done": True}

    def save_checkpoint(self, checkpoint_dir: str) -> dict:
        """A trial has no state worth keeping; Tune asks all the same when it reuses the actor."""
        del checkpoint_dir
        return {}

    def load_checkpoint(self, checkpoint: dict | None) -> None:
        """See `save_checkpoint`."""

    def cleanup(self) -> None:
        """Ends the load client with the actor."""
        self._load.close()


@dataclass(frozen=True)
class SlotServing:
    """The trial's place on the cluster, behind the writer."""

    writer: Any
    slot: str
    node_id: str | None

    def deploy(self, application: dict, timeout_s: float) -> str:
        """See `orchestrator.trial.Serving.deploy`."""
        return str(_ask(lambda: self.writer.deploy.remote(self.slot, application, timeout_s)))


class RemoteLoad:
    """The load client's actor, started on first use and again should it die."""

    def __init__(self, experiment: Experiment, node_id: str) -> None:
        self._experiment = experiment
        self._node_id = node_id
        self._actor: Any = None

    def run(self, url: str) -> LoadRecord:
        """See `orchestrator.trial.Load.run`."""
        if self._actor is None:
            here = NodeAffinitySchedulingStrategy(self._node_id, soft=False)
            self._actor = ray.remote(LoadClient).options(num_cpus=0, scheduling_strategy=here).remote(self._experiment)
        try:
            return _ask(lambda: self._actor.run.remote(url))
        except RayActorError as error:
            self._actor = None
            raise DeploymentFailedError(f"the load client died: {error}") from error

    def close(self) -> None:
        """Ends the actor."""
        if self._actor is not None:
            ray.kill(self._actor)
            self._actor = None


def _ask(call: Callable[[], Any]) -> Any:
    """The answer of an actor; its own exception rather than Ray's wrapper, whose text is a traceback."""
    try:
        return ray.get(call())
    except RayTaskError as error:
        raise error.cause from None
