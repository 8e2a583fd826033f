"""The load client as a Ray actor on the trial's node, in a process of its own."""

from __future__ import annotations

from pathlib import Path

from orchestrator.errors import DeploymentFailedError
from orchestrator.experiment import Experiment
from orchestrator.load.endpoint import Endpoint, Payload, encode
from orchestrator.load.generator import ClosedLoopPlan, LoadRecord, run_closed_loop
from orchestrator.load.probe import NOT_ROUTED, wait_for_answer
from orchestrator.measure.stopping import PrecisionReached
from orchestrator.workload.payloads import make_payloads

ANSWER_DEADLINE_S = 10.0
"""How long a proxy may take to route to replicas that Serve calls running; measured: well below a second."""

_ASK_READY = Payload(body=b"", path="/v2/health/ready", method="GET")


class LoadClient:
    """Puts the experiment's load on one URL after another; to be run as a Ray actor."""

    def __init__(self, experiment: Experiment) -> None:
        self._experiment = experiment
        self._payloads: tuple[Payload, ...] | None = None

    def run(self, url: str) -> LoadRecord:
        """See `orchestrator.trial.Load.run`."""
        endpoint = Endpoint.parse(url)
        requests = self._requests(endpoint)
        self._wait(endpoint, requests[0])
        measure, workload = self._experiment.measure, self._experiment.workload
        plan = ClosedLoopPlan(
            concurrency=self._experiment.load.closed_loop.concurrency,
            warmup_s=measure.warmup_s,
            min_s=measure.min_s,
            max_s=measure.max_s,
            timeout_s=workload.timeout_s,
        )
        return run_closed_loop(endpoint, requests, plan, PrecisionReached(measure.precision))

    def _requests(self, endpoint: Endpoint) -> list[bytes]:
        if self._payloads is None:
            workload = self._experiment.workload
            if workload.payloads is None:  # the application itself will be asked for its inputs
                self._wait(endpoint, encode(endpoint, _ASK_READY))
            base_dir = Path(self._experiment.file).parent
            self._payloads = make_payloads(workload, endpoint.url, base_dir)
        return [encode(endpoint, payload) for payload in self._payloads]

    def _wait(self, endpoint: Endpoint, request: bytes) -> None:
        status = wait_for_answer(endpoint, request, ANSWER_DEADLINE_S)
        if status in NOT_ROUTED:
            said = f"answers HTTP {status}" if status else "does not answer"
            raise DeploymentFailedError(
                f"Serve says that the application runs, but after {ANSWER_DEADLINE_S:g} s {endpoint.url} {said} to "
                f"{request.split(b' HTTP/', 1)[0].decode(errors='replace')}"
            )
