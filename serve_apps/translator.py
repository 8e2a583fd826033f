"""Sentences in English in, German out, behind the Open Inference Protocol; batches are made of sentences.

    import_path: serve_apps.translator:build
    args: {length_limit: 100}      # words that a translation may have

Each sentence of a request joins a batch by itself, so `max_batch_size` counts sentences.
"""

from __future__ import annotations

from typing import Any

from ray import serve
from ray.serve import Application

from serve_apps.classifier import OPTIONS
from serve_apps.engine import Model
from serve_apps.nets.store import TRANSLATOR
from serve_apps.sentences import SentenceReplica
from serve_apps.settings import Source, Translation
from serve_apps.translation import TranslationModel


class TranslatorReplica(SentenceReplica):
    """The translator in one replica, with the classifier's knobs."""

    def __init__(self, source: Source, asked: Translation) -> None:
        self._length_limit = asked.length_limit
        super().__init__(source)

    def _load(self, threads: int) -> Model:
        return TranslationModel(self._source.name, self._source.path(), threads, self._length_limit)


Translator = serve.deployment(name="Translator", **OPTIONS)(TranslatorReplica)


def build(args: dict[str, Any]) -> Application:
    """The application for Serve. `args.length_limit`: most words of a translation.

    Raises ValueError, which fails the deployment with its message, for anything else.
    """
    return Translator.bind(Source(TRANSLATOR, None), Translation.from_args(args))
