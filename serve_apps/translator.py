"""Sentences in English in, German out, behind the Open Inference Protocol; batches are made of sentences.

    import_path: serve_apps.translator:build
    args: {length_limit: 100}      # words that a translation may have

Each sentence of a request joins a batch by itself, so `max_batch_size` counts sentences.
"""

from __future__ import annotations

import asyncio
from typing import Any

import numpy as np
from ray import serve
from ray.serve import Application

from serve_apps.batches import Inputs, Outcome
from serve_apps.classifier import OPTIONS, ClassifierReplica, Model
from serve_apps.nets.store import TRANSLATOR
from serve_apps.settings import Source, Translation
from serve_apps.tensors import RequestError
from serve_apps.timing import Timing
from serve_apps.translation import OUTPUTS, TranslationModel
from serve_apps.vocabulary import TEXT

_TOKENS, _PADDING = OUTPUTS.index("tokens"), OUTPUTS.index("padding")


class TranslatorReplica(ClassifierReplica):
    """The translator in one replica, with the classifier's knobs; its `Server-Timing` tells tokens and padding too."""

    def __init__(self, source: Source, asked: Translation) -> None:
        self._length_limit = asked.length_limit
        super().__init__(source)

    def _load(self, threads: int) -> Model:
        return TranslationModel(self._source.name, self._source.path(), threads, self._length_limit)

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
        told = last._replace(tokens=int(columns[_TOKENS].sum()), padding=int(columns[_PADDING].sum()))
        return columns, told


Translator = serve.deployment(name="Translator", **OPTIONS)(TranslatorReplica)


def build(args: dict[str, Any]) -> Application:
    """The application for Serve. `args.length_limit`: most words of a translation.

    Raises ValueError, which fails the deployment with its message, for anything else.
    """
    return Translator.bind(Source(TRANSLATOR, None), Translation.from_args(args))
