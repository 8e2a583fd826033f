"""What the trials of both modes have in common towards Ray Tune: an actor, reused from trial to trial."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import Any, Protocol

import ray
from ray import tune

from orchestrator.assignment import Assignment
from orchestrator.backend.port import report
from orchestrator.experiment import Experiment
from orchestrator.result import TrialResult


class Given(Protocol):
    """What every trial actor of a study is given at least: the experiment, and the feed that carries results away."""

    @property
    def experiment(self) -> Experiment:
        """The study's."""

    @property
    def feed(self) -> Any:
        """The handle of a `Feed`."""


class StudyTrial(tune.Trainable):
    """Runs a trial once per step; a step is a whole trial."""

    given: Given

    def setup(self, config: dict[str, Any], setup: Any) -> None:
        """Called once per actor, for the first of its trials; `setup` is what it is given."""
        del config
        self.given = setup

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        """The next trial in the same actor: starting an actor costs more than most redeployments."""
        del new_config
        return True

    def step(self) -> dict[str, Any]:
        """One trial; the result goes through the feed, the searcher's part of it through Tune."""
        assignment = Assignment.of(self.config, self.given.experiment.objective.maximize)
        feed = self.given.feed

        def on_phase(phase: str) -> None:
            feed.phase.remote(assignment.number, phase)

        result = self.measured(assignment, on_phase)
        ray.get(feed.deliver.remote(result))
        return {**report(result), "done": True}

    @abstractmethod
    def measured(self, assignment: Assignment, on_phase: Callable[[str], None]) -> TrialResult:
        """What comes of the assignment; `on_phase` hears what the trial is doing."""

    def save_checkpoint(self, checkpoint_dir: str) -> dict:
        """A trial has no state worth keeping; Tune asks all the same when it reuses the actor."""
        del checkpoint_dir
        return {}

    def load_checkpoint(self, checkpoint: dict | None) -> None:
        """See `save_checkpoint`."""
