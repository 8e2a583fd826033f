"""The back end on a cluster: Ray Tune schedules the trials onto the nodes that have a trial slot."""

from __future__ import annotations

import logging
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

import ray
from ray import tune
from ray.exceptions import GetTimeoutError, RayActorError

from orchestrator.backend.feed import Feed
from orchestrator.backend.limited import sweep
from orchestrator.backend.phases import Phases
from orchestrator.backend.port import Listener, Suggestions
from orchestrator.backend.trainable import ServeTrial, TrialSetup
from orchestrator.cluster import TRIAL_SLOT, Cluster
from orchestrator.errors import ClusterError
from orchestrator.experiment import Experiment
from orchestrator.result import Status, TrialResult
from orchestrator.serve_config import may_be_limited, may_set_clocks
from orchestrator.serving.state import slot_name
from orchestrator.serving.writer import ServeWriter

WRITER_NAME = "orchestrator-serve-writer"
NAMESPACE = "orchestrator"

START_DEADLINE_S = 120.0
CLOSE_DEADLINE_S = 45.0

TUNE_ENVIRONMENT = {
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",  # MLflow keeps the trials; Tune's own files would be a second store
    "TUNE_DISABLE_SIGINT_HANDLER": "1",  # Ctrl-C is ours: Tune's handler would wait for the running trial
    "RAY_AIR_NEW_OUTPUT": "0",
}


class TuneBackend:
    """Runs trials on `cluster`. `on_phases` is handed a function that tells the running trials' phases."""

    def __init__(
        self, cluster: Cluster, on_phases: Callable[[Callable[[], dict[int, tuple[str, float]]]], None]
    ) -> None:
        self._cluster = cluster
        self._on_phases = on_phases

    @property
    def parallel(self) -> int:
        """How many trials run at a time: one per node with a trial slot."""
        return max(1, len(self._cluster.trial_nodes))

    def run(self, experiment: Experiment, searcher: Suggestions, listener: Listener) -> None:
        """See `orchestrator.backend.port.Backend.run`."""
        _require_other_node(experiment.load.placement, self._cluster)
        public = experiment.load.placement == "other_node"
        app, knobs = experiment.app, experiment.space.paths()
        slots, clocks = self._slots() if may_be_limited(app, knobs) else {}, may_set_clocks(app, knobs)
        with _swept(self._cluster, slots, clocks), _writer(self._cluster, public) as writer:
            feed = ray.remote(Feed).options(num_cpus=0).remote()
            pinned = bool(self._cluster.trial_nodes) and self._cluster.node_count > 1
            setup = TrialSetup(
                experiment, writer, feed, self._slots(), pinned, self._cluster.nodes, self._cluster.data_plane
            )
            with Phases(lambda: ray.get(feed.phases.remote(), timeout=5)) as phases:
                self._on_phases(phases)
                self._fit(setup, searcher, _TuneCallback(feed, listener))

    def _slots(self) -> Mapping[str, str]:
        nodes = self._cluster.trial_nodes or ("any",)
        return {node: slot_name(index) for index, node in enumerate(nodes)}

    def _fit(self, setup: TrialSetup, searcher: Suggestions, callback: tune.Callback) -> None:
        os.environ.update(TUNE_ENVIRONMENT)
        logging.getLogger("ray.tune").setLevel(logging.ERROR)
        # A cluster that declares no slots runs one trial at a time; Tune refuses trials that need nothing.
        resources = {TRIAL_SLOT: 1} if self._cluster.trial_nodes else {"cpu": 0.001}
        trainable = tune.with_resources(tune.with_parameters(ServeTrial, setup=setup), resources)
        with tempfile.TemporaryDirectory(prefix="orchestrator-tune-") as storage:
            tune.Tuner(
                trainable,
                tune_config=tune.TuneConfig(search_alg=searcher, num_samples=-1, reuse_actors=True),
                run_config=tune.RunConfig(
                    name="study",
                    storage_path=storage,
                    verbose=0,
                    callbacks=[callback],
                    checkpoint_config=tune.CheckpointConfig(checkpoint_at_end=False),
                ),
            ).fit()


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
    try:
        writer = (
            ray.remote(ServeWriter)
            .options(name=WRITER_NAME, namespace=NAMESPACE, num_cpus=0)
            .remote(cluster.dashboard_url, cluster.http_port, public)
        )
    except ValueError as error:
        raise ClusterError(f"another study is running on the cluster at {cluster.address}; wait for it") from error
    try:
        try:
            ray.get(writer.start.remote(), timeout=START_DEADLINE_S)
        except (GetTimeoutError, RayActorError, RuntimeError) as error:
            raise ClusterError(f"Ray Serve cannot be started: {error}") from error
        yield writer
    finally:
        try:
            with suppress(GetTimeoutError, RayActorError):  # a cluster that is gone has nothing left to remove
                ray.get(writer.close.remote(), timeout=CLOSE_DEADLINE_S)
        finally:
            ray.kill(writer)  # else its name stays taken, and with it the cluster


def _require_other_node(placement: str, cluster: Cluster) -> None:
    if placement == "other_node" and cluster.node_count < 2:
        raise ClusterError(
            "load.placement: other_node needs a cluster with another node than the one that serves, and this one has "
            "a single node: use same_node, or add a node"
        )


class _TuneCallback(tune.Callback):
    """Tells the listener of Tune's trials by their numbers.

    What the listener raises ends the study, but not there: Tune takes an error while it handles a trial for one of
    the trial's, and reports that trial again. It is kept in `error`, and raised when Tune's step is over.
    """

    def __init__(self, feed: Any, listener: Listener) -> None:
        self._feed = feed
        self._listener = listener
        self.error: Exception | None = None

    def __getstate__(self) -> dict[str, Any]:
        """Nothing: Tune stores its callbacks for a restore, and ours speak to this process alone."""
        return {}

    def on_trial_start(self, iteration: int, trials: list, trial: Any, **info: Any) -> None:
        del iteration, trials, info
        number, configuration = trial.config["number"], trial.config["configuration"]
        self._tell(lambda: self._listener.trial_started(number, configuration, trial.config.get("confirms")))

    def on_trial_complete(self, iteration: int, trials: list, trial: Any, **info: Any) -> None:
        del iteration, trials, info
        self._finished(trial, "the trial ended without a result")

    def on_trial_error(self, iteration: int, trials: list, trial: Any, **info: Any) -> None:
        del iteration, trials, info
        self._finished(trial, f"the trial's process or node was lost: {_last_line(trial)}")

    def on_step_end(self, iteration: int, trials: list, **info: Any) -> None:
        del iteration, trials, info
        if self.error is not None:
            raise self.error

    def _finished(self, trial: Any, otherwise: str) -> None:
        number, configuration = trial.config["number"], trial.config["configuration"]
        result = ray.get(self._feed.take.remote(number))
        failed = TrialResult(
            number,
            configuration,
            Status.FAILED,
            reasons=(otherwise,),
            confirms=trial.config.get("confirms"),
            replication=trial.config.get("replication"),
        )
        self._tell(lambda: self._listener.trial_finished(result or failed))

    def _tell(self, call: Callable[[], None]) -> None:
        if self.error is None:
            try:
                call()
            except Exception as error:
                self.error = error


def _last_line(trial: Any) -> str:
    lines = str(trial.get_error() or "unknown error").strip().splitlines()
    return lines[-1].strip()
