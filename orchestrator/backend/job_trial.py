"""An offline trial as Ray Tune runs it: its job is in an actor of its own, in a process that nobody had before."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import ray
from ray.exceptions import OutOfMemoryError, RayActorError, RayTaskError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from orchestrator.assignment import Assignment
from orchestrator.backend.study_trial import StudyTrial
from orchestrator.environment import allowed_cores
from orchestrator.errors import DeploymentFailedError
from orchestrator.experiment import Experiment
from orchestrator.job import JobProcess, death, kernel_kills
from orchestrator.measure.samples import Window
from orchestrator.measure.steps import Steps
from orchestrator.offline import run_job
from orchestrator.resources import ResourceSampler, job_groups
from orchestrator.result import TrialResult

STARTED_WITHIN_S = 120.0
PREPARED_WITHIN_S = 600.0
"""Building or downloading a model, or making a data set: once, and kept."""

LATE_S = 2.0
"""An answer of the process may be under way for so long on a busy machine."""

CLOSED_WITHIN_S = 30.0


@dataclass(frozen=True)
class JobSetup:
    """What every trial actor of an offline study is given."""

    experiment: Experiment
    feed: Any


class JobTrial(StudyTrial):
    """Runs `run_job` once per step; a step of Tune's is a whole trial."""

    def measured(self, assignment: Assignment, on_phase: Callable[[str], None]) -> TrialResult:
        """See `StudyTrial`."""
        return run_job(assignment, self.given.experiment, fresh_process, time.monotonic, on_phase)


@contextmanager
def fresh_process() -> Iterator[RemoteBench]:
    """A process on this node that has run nothing yet, and ends with the context."""
    cores = max(1, int(allowed_cores(Path("/sys/fs/cgroup"))))
    variables = {
        "ORCHESTRATOR_JOB": uuid4().hex,  # Ray hands an environment that nobody had to a process that nobody had
        "OMP_NUM_THREADS": str(cores),  # Ray's own is 1, for an actor that reserves no processors
    }
    process = (
        ray.remote(JobProcess)
        .options(
            num_cpus=0,
            runtime_env={"env_vars": variables},
            scheduling_strategy=NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False),
        )
        .remote()
    )
    try:
        kills = kernel_kills()
        with _in_time(f"no process for the job was started within {STARTED_WITHIN_S:g} s"):
            pid = _ask(process.pid.remote(), STARTED_WITHIN_S, kills)
        with ResourceSampler(job_groups(pid)) as sampler:
            yield RemoteBench(process, sampler, kills)
        with _in_time(f"close() did not end within {CLOSED_WITHIN_S:g} s"):
            _ask(process.close.remote(), CLOSED_WITHIN_S, kills)
    finally:
        ray.kill(process)


@dataclass(frozen=True)
class RemoteBench:
    """The process behind the port of `orchestrator.offline`; `kills` are the kernel's before it was started."""

    process: Any
    sampler: ResourceSampler
    kills: int

    def prepare(self, import_path: str, args: Mapping) -> None:
        """See `orchestrator.offline.Bench.prepare`."""
        with _in_time(f"prepare() did not end within {PREPARED_WITHIN_S:g} s"):
            self._ask(self.process.prepare.remote(import_path, dict(args)), PREPARED_WITHIN_S)

    def build(self, timeout_s: float) -> float:
        """See `orchestrator.offline.Bench.build`."""
        return float(self._ask(self.process.build.remote(), timeout_s))

    def steps(self, for_s: float, timeout_s: float) -> Steps:
        """See `orchestrator.offline.Bench.steps`."""
        return Steps.of(self._ask(self.process.run.remote(for_s), for_s + timeout_s + LATE_S))

    def memory_mib(self) -> float:
        """See `orchestrator.offline.Bench.memory_mib`."""
        with _in_time("the process of the job does not answer"):
            return float(self._ask(self.process.memory_mib.remote(), STARTED_WITHIN_S))

    def use(self, window: Window) -> Mapping[str, float]:
        """See `orchestrator.offline.Bench.use`."""
        return self.sampler.use(*window).metrics()

    def _ask(self, asked: Any, timeout_s: float) -> Any:
        return _ask(asked, timeout_s, self.kills)


@contextmanager
def _in_time(late: str) -> Iterator[None]:
    """Whoever has no deadline in the experiment has one all the same."""
    try:
        yield
    except TimeoutError:
        raise DeploymentFailedError(late) from None


def _ask(asked: Any, timeout_s: float, kills: int) -> Any:
    """The process's answer, or its own exception; TimeoutError if there is none in time."""
    if not ray.wait([asked], timeout=timeout_s)[0]:
        raise TimeoutError
    try:
        return ray.get(asked)
    except RayTaskError as error:
        raise error.cause from None
    except (RayActorError, OutOfMemoryError) as error:
        raise death(str(error), kernel_kills() - kills) from None
