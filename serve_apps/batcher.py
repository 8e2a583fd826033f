"""Collects requests into batches with `@serve.batch`, and tells each where its time went."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple

from ray import serve

from serve_apps.batches import Inputs, Outcome
from serve_apps.settings import Settings
from serve_apps.timing import Collection, Timing


class Work(NamedTuple):
    """A valid request that joins a batch; times are seconds of `time.perf_counter`."""

    inputs: Inputs
    arrived_s: float
    joined_s: float


class Computed(NamedTuple):
    """What came of a batch, in the order of its requests, and when the model was at work."""

    started_s: float
    ended_s: float
    outcomes: Sequence[Outcome]


Compute = Callable[[list[Work]], Awaitable[Computed]]
Join = Callable[[Work], Awaitable[tuple[Outcome, Timing]]]


class Batcher:
    """One line in which requests wait for their batch."""

    def __init__(self, compute: Compute, settings: Settings) -> None:
        self._compute = compute
        self._settings = settings
        self._previous_closed_s = 0.0
        self.join: Join = self._new_join()
        """Waits for the request's turn; its outcome and its times."""

    def change(self, settings: Settings) -> None:
        """Take new knobs; requests that already wait keep their place."""
        renewed = settings.concurrent_batches != self._settings.concurrent_batches
        self._settings = settings
        if renewed:
            self.join = self._new_join()  # the only knob of @serve.batch without a setter
        else:
            self.join.set_max_batch_size(settings.max_batch_size)  # type: ignore[attr-defined]
            self.join.set_batch_wait_timeout_s(settings.batch_wait_timeout_s)  # type: ignore[attr-defined]

    async def _run(self, batch: list[Work]) -> list[tuple[Outcome, Timing]]:
        """Compute one batch that Serve has collected; an error is an outcome of its request alone."""
        settings = self._settings
        started_s, ended_s, outcomes = await self._compute(batch)
        joined = [work.joined_s for work in batch]
        collection = Collection.of(
            joined, started_s, self._previous_closed_s, settings.max_batch_size, settings.batch_wait_timeout_s
        )
        self._previous_closed_s = collection.closed_s
        return [
            (outcome, collection.timing(work.arrived_s, work.joined_s, started_s, ended_s, len(batch)))
            for work, outcome in zip(batch, outcomes, strict=True)
        ]

    def _new_join(self) -> Join:
        async def run(batch: list[Work]) -> list[tuple[Outcome, Timing]]:
            return await self._run(batch)

        # @serve.batch looks up the signature for every request; kept here (PEP 362), it is worked out once.
        run.__signature__ = inspect.signature(run)  # type: ignore[attr-defined]
        settings = self._settings
        return serve.batch(
            max_batch_size=settings.max_batch_size,
            batch_wait_timeout_s=settings.batch_wait_timeout_s,
            max_concurrent_batches=settings.concurrent_batches,
        )(run)
