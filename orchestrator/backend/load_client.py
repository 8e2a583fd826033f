"""A load client's process: a Ray actor that sends its part of every load of a study."""

from __future__ import annotations

from pathlib import Path

from orchestrator.errors import DeploymentFailedError
from orchestrator.experiment import Experiment, configured
from orchestrator.load.endpoint import Endpoint, Payload, encode
from orchestrator.load.generator import Generator
from orchestrator.load.plan import Traffic
from orchestrator.load.probe import NOT_ROUTED, wait_for_answer
from orchestrator.load.record import GeneratorRecord
from orchestrator.measure.samples import Samples
from orchestrator.result import Configuration
from orchestrator.workload.payloads import make_payloads

ANSWER_DEADLINE_S = 10.0
"""How long a proxy may take to route to replicas that Serve calls running; measured: well below a second."""

_ASK_READY = Payload(body=b"", path="/v2/health/ready", method="GET")


class LoadClient:
    """Prepares for an application, then is a `Part` (`orchestrator.load.conductor`) of one traffic after another."""

    def __init__(self, experiment: Experiment, index: int, count: int) -> None:
        self._experiment = experiment
        self._index = index
        self._count = count
        self._payloads: dict[tuple[int, str], tuple[Payload, ...]] = {}  # by items in a request and encoding
        self._requests: list[bytes] = []
        self._endpoint: Endpoint | None = None
        self._generator: Generator | None = None

    def prepare(self, url: str, configuration: Configuration) -> None:
        """Waits until the application at `url` answers, and makes the requests that it gets under a configuration.

        Raises:
            PayloadError: the workload's payloads cannot be made for this application.
            DeploymentFailedError: the application is said to run but does not answer.
        """
        endpoint = Endpoint.parse(url)
        at = configured(self._experiment, configuration)
        kind = at.load.items_per_request, at.workload.encoding
        if kind not in self._payloads:
            self._payloads[kind] = self._make_payloads(endpoint, at)
        payloads = self._payloads[kind]
        by_identity = {id(payload): encode(endpoint, payload) for payload in payloads}  # a mix repeats them
        requests = [by_identity[id(payload)] for payload in payloads]
        first = self._index * len(requests) // self._count  # clients do not send the same at the same time
        self._requests = requests[first:] + requests[:first]
        self._endpoint = endpoint
        self._wait(endpoint, self._requests[0])

    def take(self, traffic: Traffic) -> None:
        """This process's part of the next load."""
        assert self._endpoint is not None
        timeout_s = self._experiment.workload.timeout_s
        self._generator = Generator(self._endpoint, self._requests, traffic, timeout_s)

    def start(self, at: float) -> None:
        """See `Part`."""
        self._part.start(at)

    def progress(self) -> Samples:
        """See `Part`."""
        return self._part.progress()

    def stop(self) -> None:
        """See `Part`."""
        self._part.stop()

    def collect(self) -> GeneratorRecord:
        """See `Part`."""
        return self._part.collect()

    def abort(self) -> None:
        """See `Part`."""
        self._part.abort()

    @property
    def _part(self) -> Generator:
        assert self._generator is not None, "take() comes first"
        return self._generator

    def _make_payloads(self, endpoint: Endpoint, at: Experiment) -> tuple[Payload, ...]:
        workload = at.workload
        if workload.asks_the_application:
            self._wait(endpoint, encode(endpoint, _ASK_READY))
        return make_payloads(workload, endpoint.url, Path(at.file).parent, at.load.items_per_request)

    def _wait(self, endpoint: Endpoint, request: bytes) -> None:
        status = wait_for_answer(endpoint, request, ANSWER_DEADLINE_S)
        if status in NOT_ROUTED:
            said = f"answers HTTP {status}" if status else "does not answer"
            raise DeploymentFailedError(
                f"Serve says that the application runs, but after {ANSWER_DEADLINE_S:g} s {endpoint.url} {said} to "
                f"{request.split(b' HTTP/', 1)[0].decode(errors='replace')}"
            )
