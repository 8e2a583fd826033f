"""The back end on a cluster: Ray Tune schedules the trials onto the nodes that have a trial slot."""

from __future__ import annotations

import logging
import os
import tempfile
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import ray
from ray import tune

from orchestrator.backend.feed import Feed
from orchestrator.backend.job_trial import JobTrial
from orchestrator.backend.phases import Phases
from orchestrator.backend.port import Listener, Suggestions
from orchestrator.backend.stage import offline_stage, stage
from orchestrator.backend.study_trial import Given, StudyTrial
from orchestrator.backend.trainable import ServeTrial
from orchestrator.cluster import TRIAL_SLOT, Cluster
from orchestrator.experiment import Experiment
from orchestrator.result import Status, TrialResult

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
        trial = JobTrial if experiment.is_offline else ServeTrial
        staged = offline_stage if experiment.is_offline else stage
        with staged(self._cluster, experiment) as setup:
            feed = ray.remote(Feed).options(num_cpus=0).remote()
            setup = replace(setup, feed=feed)
            with Phases(lambda: ray.get(feed.phases.remote(), timeout=5)) as phases:
                self._on_phases(phases)
                self._fit(trial, setup, searcher, _TuneCallback(feed, listener))

    def _fit(self, trial: type[StudyTrial], setup: Given, searcher: Suggestions, callback: tune.Callback) -> None:
        os.environ.update(TUNE_ENVIRONMENT)
        logging.getLogger("ray.tune").setLevel(logging.ERROR)
        # A cluster that declares no slots runs one trial at a time; Tune refuses trials that need nothing.
        resources = {TRIAL_SLOT: 1} if self._cluster.trial_nodes else {"cpu": 0.001}
        trainable = tune.with_resources(tune.with_parameters(trial, setup=setup), resources)
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
