"""What is tried of options that every application has, or whose names say what they do: batches, replicas, threads."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

from orchestrator.checklist.arguments import THREADS_PATH, USUAL, is_stated
from orchestrator.checklist.candidates import Candidate, Settled
from orchestrator.checklist.items import BATCHING, IO, PINNING, SYSTEM, Kind
from orchestrator.experiment import ENCODING, ClosedLoop, Experiment
from orchestrator.knob import Listed
from orchestrator.plain import is_number
from orchestrator.result import Configuration
from orchestrator.serve_config.settings import (
    BATCH_WAIT,
    MAX_BATCH_SIZE,
    MAX_ONGOING,
    NUM_REPLICAS,
    THREADS,
    Settings,
    settings_of_each,
)
from orchestrator.space import Condition
from orchestrator.workload.plan import DEFAULT_ENCODING

UNKNOWN_CROWD = 32
"""Requests that may be under way at a time where the load does not say: an open loop has no number of clients."""

PATIENT_S = 0.001
"""A batch's wait in a closed loop: about what it takes until a client that was just answered has sent again."""

Lacking = Callable[[Configuration], str]
"""Why a configuration does not fit on a node; "" if it does."""


def of_settings(experiment: Experiment, cores: int, lacking: Lacking) -> Iterator[Candidate | Settled]:
    """Larger batches, more replicas, more threads, binary requests; `cores` are those of a node."""
    each = settings_of_each(experiment.app)
    yield from _batching(experiment, each)
    yield from _replicas(experiment, each, cores, lacking)
    yield from _encoding(experiment)
    yield from _threads(experiment, each, cores)


def _batching(experiment: Experiment, each: list[Settings]) -> Iterator[Candidate | Settled]:
    batched = [settings for settings in each if MAX_BATCH_SIZE in settings.values]
    if not batched:
        why = "no deployment's user_config has a max_batch_size: if the application batches, let it take one from there"
        yield Settled(BATCHING, Kind.UNCHECKED, why)
    for settings in batched:
        now, path, most = settings[MAX_BATCH_SIZE], settings.knob(MAX_BATCH_SIZE), _crowd(experiment, settings)
        middle = 2 ** math.ceil(math.log2(math.sqrt(now * most))) if most > now else now
        sizes = {_fitted(experiment, path, size, whole=True) for size in (middle, most)}
        larger = sorted(size for size in sizes if size > now)
        if not larger:
            why = f"{path} is {now:.0f}, and no more than {most} requests come together"
            yield Settled(BATCHING, Kind.DONE, why)
        for size in larger:
            wait = _patience(experiment, settings) if size == larger[-1] else {}
            yield Candidate(BATCHING, {path: size, **wait})


def _crowd(experiment: Experiment, settings: Settings) -> int:
    """Most items that can wait for a batch of one replica at a time."""
    traffic = experiment.load.traffic
    clients = traffic.concurrency if isinstance(traffic, ClosedLoop) else UNKNOWN_CROWD
    replicas = 1.0 if math.isnan(settings.replicas) else settings.replicas
    limit = settings[MAX_ONGOING]
    share = math.ceil(clients / max(1.0, replicas))
    return int(share if math.isnan(limit) else min(share, limit)) * experiment.load.items_per_request


def _patience(experiment: Experiment, settings: Settings) -> Configuration:
    """A short wait where there is none: the largest batch does not form by itself."""
    path = settings.knob(BATCH_WAIT)
    if settings[BATCH_WAIT] != 0 or not isinstance(experiment.load.traffic, ClosedLoop):
        return {}
    return {path: _fitted(experiment, path, PATIENT_S)}


def _replicas(
    experiment: Experiment, each: list[Settings], cores: int, lacking: Lacking
) -> Iterator[Candidate | Settled]:
    for settings in each:
        if math.isnan(settings.replicas):
            continue  # it scales by itself
        path, now = settings.knob(NUM_REPLICAS), settings.replicas
        more = _fitted(experiment, path, max(now, cores // len(each)), whole=True)
        if more <= now:
            yield Settled(SYSTEM, Kind.DONE, f"{path} is {now:.0f}, on {cores} cores")
        elif why := lacking({path: more}):
            yield Settled(SYSTEM, Kind.UNCHECKED, f"{path} {more} was not tried: {why}")
        else:
            yield Candidate(SYSTEM, {path: more})


def _encoding(experiment: Experiment) -> Iterator[Candidate]:
    if experiment.workload.encoding != DEFAULT_ENCODING:
        yield Candidate(IO, {ENCODING: DEFAULT_ENCODING})


def _threads(experiment: Experiment, each: list[Settings], cores: int) -> Iterator[Candidate | Settled]:
    """In `user_config` where the file has them there, else by the usual argument."""
    stated = {settings.knob(THREADS): settings[THREADS] for settings in each if THREADS in settings.values}
    args = experiment.app.get("args") or {}
    for path, now in (stated or {THREADS_PATH: args.get("threads", USUAL[THREADS_PATH][0])}).items():
        more = _fitted(experiment, path, cores, whole=True)
        asks = path == THREADS_PATH and not is_stated(experiment, path)
        if more > now:
            yield Candidate(PINNING, {path: more}, "threads" if asks else "")
        else:
            yield Settled(PINNING, Kind.DONE, f"{path} is {now:.0f}, on {cores} cores")


def _fitted(experiment: Experiment, path: str, wanted: float, whole: bool = False) -> Any:
    """The value nearest to what is wanted that the file's own knob has; what is wanted where it has no such knob."""
    knob = experiment.space.knobs.get(path)
    if knob is None or isinstance(knob, Condition):
        return int(wanted) if whole else wanted
    if isinstance(knob, Listed):
        numbers = [value for value in knob.listed() if is_number(value)]
        return min(numbers, key=lambda value: abs(value - wanted), default=wanted)
    return min(max(knob.low, int(wanted) if whole else wanted), knob.high)
