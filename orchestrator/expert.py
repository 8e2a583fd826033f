"""What somebody who knows Serve would try first: one configuration by rules of thumb, before anything is learned. Pure.

As many replicas as there are cores, over which they are spread evenly; every replica may take all requests that come to
it; tensors are sent as binary data; a batch may hold all requests; in a closed loop a batch waits a millisecond for
those that are about to come again, otherwise as little as possible. Options whose meaning is not known stay at the
baseline's value.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from orchestrator.experiment import ENCODING, ClosedLoop, Experiment
from orchestrator.knob import Listed
from orchestrator.plain import is_number
from orchestrator.result import Configuration
from orchestrator.serve_config.settings import BATCH_WAIT, MAX_BATCH_SIZE, MAX_ONGOING, NUM_REPLICAS, THREADS
from orchestrator.space import Condition, Knob
from orchestrator.workload.plan import DEFAULT_ENCODING

PATIENT_S = 0.001
"""A batch's wait in a closed loop: about what it takes until a client that was just answered has sent again."""


def first_guesses(experiment: Experiment, cores: float) -> list[Configuration]:
    """The configuration, unless the space has no knob that is known or it is the baseline; `cores` NaN if unknown."""
    baseline, knobs = experiment.baseline(), experiment.space.knobs
    guess = {**baseline, **dict(_guessed(experiment, cores))}
    for path, knob in knobs.items():
        if path in guess and not knob.contains(guess[path]):
            guess[path] = knob.decode(0.5)  # the baseline lies outside
    return [guess] if guess != baseline and experiment.space.contains(guess) else []


def _guessed(experiment: Experiment, cores: float) -> Iterator[tuple[str, Any]]:
    knobs = {path: knob for path, knob in experiment.space.knobs.items() if not isinstance(knob, Condition)}
    scaled = [path for path in knobs if _option(path) == NUM_REPLICAS]
    cores = cores if cores >= 1 else 1.0
    each = max(1.0, cores // max(1, len(scaled)))
    traffic = experiment.load.traffic
    clients = traffic.concurrency if isinstance(traffic, ClosedLoop) else math.inf
    if ENCODING in knobs and knobs[ENCODING].contains(DEFAULT_ENCODING):
        yield ENCODING, DEFAULT_ENCODING
    for path, knob in knobs.items():
        replicas = each if f"{path.split('.')[0]}.{NUM_REPLICAS}" in scaled else 1.0
        wanted = {
            NUM_REPLICAS: each,
            MAX_ONGOING: math.inf,
            MAX_BATCH_SIZE: clients * experiment.load.items_per_request / replicas,
            BATCH_WAIT: PATIENT_S if math.isfinite(clients) else -math.inf,
            THREADS: max(1.0, cores // replicas),
        }
        if _option(path) in wanted:
            yield path, _at_least(knob, wanted[_option(path)])


def _option(path: str) -> str:
    return path.rpartition(".")[2]


def _at_least(knob: Knob, wanted: float) -> Any:
    """The least number of a knob that is not below `wanted`, or its largest; of what is no number, its first value."""
    if isinstance(knob, Listed):
        numbers = sorted(value for value in knob.listed() if is_number(value))
        return next((value for value in numbers if value >= wanted), numbers[-1] if numbers else knob.listed()[0])
    low, high = knob.low, knob.high
    if wanted >= high:
        return knob.decode(1.0)
    return max(low, math.ceil(wanted) if knob.whole else wanted) if wanted > low else knob.decode(0.0)
