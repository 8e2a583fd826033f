"""Run a batch of requests through a model so that no request suffers from another. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from serve_apps.tensors import RequestError

Inputs: TypeAlias = dict[str, NDArray]
Run: TypeAlias = Callable[[Inputs], Sequence[NDArray]]
Outcome: TypeAlias = Sequence[NDArray] | RequestError


def run_batch(run: Run, requests: Sequence[Inputs], batchable: bool) -> list[Outcome]:
    """What the model says to each request, in their order: its outputs, or the error that is its own.

    Requests that agree in everything but the first dimension run together, joined along it; a request may
    hold several rows. When a joint run fails, or its outputs cannot be told apart by rows, its requests
    run one by one. A model that is not `batchable` always runs them one by one. All requests hold the same
    inputs in the same order.
    """
    outcomes: dict[int, Outcome] = {}
    for group in _groups(requests) if batchable else [[index] for index in range(len(requests))]:
        members = [requests[index] for index in group]
        outcomes.update(zip(group, _together(run, members) or [_alone(run, m) for m in members], strict=True))
    return [outcomes[index] for index in range(len(requests))]


def _groups(requests: Sequence[Inputs]) -> list[list[int]]:
    groups: dict[object, list[int]] = {}
    for index, request in enumerate(requests):
        shapes = [value.shape for value in request.values()]
        even = len(shapes) == 1 or len({shape[0] for shape in shapes}) == 1
        # Inputs that disagree about their rows cannot be joined with anything: a group of its own.
        groups.setdefault(tuple([shape[1:] for shape in shapes]) if even else index, []).append(index)
    return list(groups.values())


def _together(run: Run, members: Sequence[Inputs]) -> list[Outcome] | None:
    """Outcomes of one run for all members; None if they have to run one by one."""
    if len(members) == 1:
        return None
    try:
        results = run({name: np.concatenate([member[name] for member in members]) for name in members[0]})
    except RequestError:
        return None
    ends = np.cumsum([len(next(iter(member.values()))) for member in members]).tolist()
    if any(result.shape[:1] != (ends[-1],) for result in results):
        return None
    starts = [0, *ends[:-1]]
    return [[result[start:end] for result in results] for start, end in zip(starts, ends, strict=True)]


def _alone(run: Run, member: Inputs) -> Outcome:
    try:
        return run(member)
    except RequestError as error:
        return error
