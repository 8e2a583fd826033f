"""What applications that read sentences have in common: each sentence of a request joins a batch by itself."""

from __future__ import annotations

import asyncio

import numpy as np

from serve_apps.batches import Inputs, Outcome
from serve_apps.classifier import ClassifierReplica
from serve_apps.tensors import RequestError
from serve_apps.timing import Timing
from serve_apps.vocabulary import TEXT


class SentenceReplica(ClassifierReplica):
    """A classifier whose batches are made of sentences; its `Server-Timing` tells tokens and padding too."""

    async def _outcome(self, inputs: Inputs, arrived_s: float) -> tuple[Outcome, Timing]:
        """Of all sentences; the times are those of the one that ended last."""
        rows = inputs[TEXT]
        whole = super()._outcome
        answers = await asyncio.gather(*(whole({TEXT: rows[i : i + 1]}, arrived_s) for i in range(len(rows))))
        last = max((timing for _, timing in answers), key=lambda timing: timing.queue_s + timing.compute_s)
        outcomes = []
        for outcome, _ in answers:
            if isinstance(outcome, RequestError):
                return outcome, last
            outcomes.append(outcome)
        columns = [np.concatenate(column) for column in zip(*outcomes, strict=True)]
        tokens, padding = columns[-2:]  # as `vocabulary` has it
        return columns, last._replace(tokens=int(tokens.sum()), padding=int(padding.sum()))
