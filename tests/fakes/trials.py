"""Stand-ins for what a trial needs of the outside: a clock, a place to deploy, a load."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from orchestrator.assignment import Assignment
from orchestrator.backend.port import Listener, Suggestions, report
from orchestrator.experiment import Experiment
from orchestrator.load.record import ClientUse
from orchestrator.measure.breakdown import break_down
from orchestrator.measure.samples import Outcome, Samples, Window
from orchestrator.measure.verdict import verdicts
from orchestrator.measure.windows import measure
from orchestrator.observation import Observation
from orchestrator.trial import run_trial


class FakeClock:
    """Seconds that pass only when a fake spends them."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@dataclass
class FakeServing:
    """A slot that deploys in `cost_s` seconds, or raises what `fails` gives for an application."""

    clock: FakeClock
    slot: str = "trial-slot-0"
    node_id: str | None = None
    cost_s: float = 0.4
    fails: Callable[[dict], Exception | None] = lambda application: None
    deployed: list[dict] = field(default_factory=list)
    cleared: list[int] = field(default_factory=list)
    """How many had been deployed when the slot was cleared."""

    def deploy(self, application: dict, timeout_s: float) -> str:
        self.clock.now += self.cost_s
        self.deployed.append(application)
        error = self.fails(application)
        if error is not None:
            raise error
        return f"http://127.0.0.1:8000/{self.slot}"

    def clear(self) -> None:
        self.clock.now += self.cost_s
        self.cleared.append(len(self.deployed))


@dataclass
class FakeLoad:
    """A closed loop against a server that is exactly as fast as `rate_rps` says of what was deployed last."""

    clock: FakeClock
    serving: FakeServing
    rate_rps: Callable[[dict], float] = lambda application: 1000.0
    warmup_s: float = 1.0
    window_s: float = 2.0
    outcome: Callable[[int], Outcome] = lambda index: Outcome.OK
    error: Exception | None = None
    limits: Mapping[str, float] = field(default_factory=dict)
    invalid: tuple[str, ...] = ()
    repeated: tuple[str, ...] = ()
    assignments: list[Assignment] = field(default_factory=list)
    beaten: bool = False
    short_of: int | None = None
    accuracy: float = math.nan

    def run(
        self,
        url: str,
        application: Mapping,
        assignment: Assignment,
        ceiling_rps: float,
        on_phase: Callable[[str], None],
    ) -> Observation:
        self.assignments.append(assignment)
        if self.error is not None:
            raise self.error
        end = self.warmup_s + self.window_s
        self.clock.now += end
        sent = samples(self.rate_rps(self.serving.deployed[-1]), end, self.outcome)
        sent = replace(sent, accuracy=np.full(len(sent), self.accuracy))
        seen = observation(sent, (self.warmup_s, end), self.limits)
        told = {"beaten": self.beaten, "short_of": self.short_of, "invalid": self.invalid, "repeated": self.repeated}
        return replace(seen, **told)


def observation(sent: Samples, window: Window, limits: Mapping[str, float] | None = None) -> Observation:
    """What a load with these samples is taken for."""
    return Observation(
        measurement=measure(sent, window, limits or {}),
        verdicts=verdicts(sent, window, limits or {}),
        breakdown=break_down(sent, window),
        machine={"machine_busy_share": 0.5},
        client=ClientUse(cpu_share=0.2, waiting_share=0.0),
        samples=sent,
        window=window,
        loaded_s=window[1],
    )


def samples(rate_rps: float, end_s: float, outcome: Callable[[int], Outcome] = lambda index: Outcome.OK) -> Samples:
    """Requests at an even rate until `end_s`, each answered after 10 ms: 4 in the queue, 1 collecting, 5 computing."""
    scheduled = np.arange(0, end_s, 1 / rate_rps)
    count = len(scheduled)
    outcomes = np.array([outcome(index) for index in range(count)], dtype=np.uint8)
    return Samples(
        scheduled_s=scheduled,
        sent_s=scheduled,
        done_s=scheduled + 0.010,
        outcome=outcomes,
        status=np.where(outcomes == Outcome.OK, 200, np.where(outcomes == Outcome.HTTP_ERROR, 500, 0)).astype(np.int16),
        queue_s=np.full(count, 0.004),
        batch_wait_s=np.full(count, 0.001),
        compute_s=np.full(count, 0.005),
        batch_size=np.full(count, 4.0),
    )


class SerialBackend:
    """Runs one trial after the other in this process; the surface is `rate_rps` of a deployed application."""

    def __init__(self, rate_rps: Callable[[dict], float] = lambda application: 1000.0) -> None:
        self.clock = FakeClock()
        self.serving = FakeServing(self.clock)
        self.load = FakeLoad(self.clock, self.serving, rate_rps)

    def run(self, experiment: Experiment, searcher: Suggestions, listener: Listener) -> None:
        trial_id = 0
        while isinstance(suggestion := searcher.suggest(str(trial_id)), dict):
            assignment = Assignment.of(suggestion, experiment.objective.maximize)
            listener.trial_started(assignment.number, assignment.configuration, assignment.confirms)
            result = run_trial(assignment, experiment, self.serving, self.load, self.clock, lambda phase: None)
            searcher.on_trial_complete(str(trial_id), report(result))
            listener.trial_finished(result)
            trial_id += 1
