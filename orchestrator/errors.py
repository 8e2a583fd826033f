"""The errors a user can cause or cure; everything else is a bug and keeps its traceback."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


class OrchestratorError(Exception):
    """Base of the errors that the command line prints as one message, without a traceback."""

    exit_code = 1


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong in an experiment file.

    `path` is the YAML path (`space.Classifier.num_replicas`), `line` counts from 1 (None when unknown);
    `message` says what was found and what is allowed, with the nearest valid name for a typo.
    """

    path: str
    message: str
    line: int | None = None

    def __str__(self) -> str:
        where = f"line {self.line}: " if self.line is not None else ""
        return f"{where}{self.path}: {self.message}" if self.path else f"{where}{self.message}"


class ExperimentError(OrchestratorError):
    """An experiment file is invalid; `problems` holds everything that is wrong with it, in file order."""

    exit_code = 2

    def __init__(self, file: str, problems: Sequence[Problem]) -> None:
        self.file = file
        self.problems = tuple(problems)
        super().__init__("\n".join(f"{file}: {problem}" for problem in self.problems))


class EndpointError(OrchestratorError):
    """An endpoint that is to be put under load does not answer."""


class UsageError(OrchestratorError):
    """The command was given something it cannot work with (an unknown study, a bad option value)."""

    exit_code = 2


class ClusterError(OrchestratorError):
    """Ray or Serve cannot be started or reached; the message says why and what to do."""


class TrackingError(OrchestratorError):
    """The MLflow store cannot be opened or reached."""


class InfeasibleError(OrchestratorError):
    """A configuration cannot be deployed here (no room, rejected by Serve, not ready by the deadline)."""


class DeploymentFailedError(OrchestratorError):
    """The application broke while it was being deployed (its constructor or `reconfigure` raised)."""


class ReplicaDiedError(DeploymentFailedError):
    """The process of a replica died while it started, and left no word why."""


class PayloadError(OrchestratorError):
    """The workload's payloads cannot be made: no such file, function or model input."""


class StudyAbortedError(OrchestratorError):
    """A study that cannot come to a result was ended early; the message says why."""
