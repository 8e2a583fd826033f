"""The load clients of a trial's place: Ray actors on its node, or on others, and their number."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import cycle, islice
from typing import Any

import ray
from ray.exceptions import RayActorError, RayTaskError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from orchestrator.backend.load_client import LoadClient
from orchestrator.backend.traffic import enough_clients
from orchestrator.errors import DeploymentFailedError
from orchestrator.experiment import Experiment
from orchestrator.load.plan import ClosedLoop, Traffic, share
from orchestrator.load.record import GeneratorRecord
from orchestrator.measure.samples import Samples
from orchestrator.result import Configuration


class Clients:
    """Starts them on first use, and again should one die. `nodes` are ids of where they may run, taken in turn."""

    def __init__(self, experiment: Experiment, nodes: Sequence[str]) -> None:
        self._experiment = experiment
        self._nodes = nodes
        wanted = experiment.load.clients
        self._count = enough_clients(experiment.load) if wanted == "auto" else wanted
        self._actors: list[Any] = []

    def prepare(self, url: str, configuration: Configuration) -> None:
        """Makes every client ready for the application at `url`; errors as of `LoadClient.prepare`."""
        if not self._actors:
            self._actors = [self._started(i, node) for i, node in enumerate(islice(cycle(self._nodes), self._count))]
        self._asked(lambda: [actor.prepare.remote(url, configuration) for actor in self._actors])

    def parts(self, traffic: Traffic) -> Sequence[RemotePart]:
        """The parts of a traffic, one a client; clients for which nothing is left stay out."""
        most = traffic.concurrency if isinstance(traffic, ClosedLoop) else traffic.max_connections
        count = min(len(self._actors), most)
        actors = self._actors[:count]
        self._asked(lambda: [a.take.remote(share(traffic, i, count)) for i, a in enumerate(actors)])
        return [RemotePart(actor, self._asked) for actor in actors]

    def add(self) -> bool:
        """Twice as many from the next `prepare` on, where their number is ours to choose; whether it was."""
        if self._experiment.load.clients != "auto":
            return False
        self.close()
        self._count *= 2
        return True

    def close(self) -> None:
        """Ends them all."""
        for actor in self._actors:
            ray.kill(actor)
        self._actors = []

    def _started(self, index: int, node: str) -> Any:
        place = NodeAffinitySchedulingStrategy(node, soft=False)
        options = {"num_cpus": 0, "scheduling_strategy": place}
        return ray.remote(LoadClient).options(**options).remote(self._experiment, index, self._count)

    def _asked(self, call: Callable[[], Any]) -> Any:
        """The answer of actors; their own exception rather than Ray's wrapper, whose text is a traceback."""
        try:
            return ray.get(call())
        except RayTaskError as error:
            raise error.cause from None
        except RayActorError as error:
            self.close()
            raise DeploymentFailedError(f"a load client died: {error}") from error


class RemotePart:
    """A `Part` (`orchestrator.load.conductor`) that runs in an actor."""

    def __init__(self, actor: Any, asked: Callable[[Callable[[], Any]], Any]) -> None:
        self._actor = actor
        self._asked = asked

    def start(self, at: float) -> None:
        """See `Part`; does not wait, so that all clients hear of it in time."""
        self._actor.start.remote(at)

    def progress(self) -> Samples:
        """See `Part`."""
        samples: Samples = self._asked(self._actor.progress.remote)
        return samples

    def stop(self) -> None:
        """See `Part`; does not wait."""
        self._actor.stop.remote()

    def collect(self) -> GeneratorRecord:
        """See `Part`."""
        record: GeneratorRecord = self._asked(self._actor.collect.remote)
        return record

    def abort(self) -> None:
        """See `Part`; does not wait."""
        self._actor.abort.remote()
