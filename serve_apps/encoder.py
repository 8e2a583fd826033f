"""Sentences in, vectors out, behind the Open Inference Protocol; batches are made of sentences.

    import_path: serve_apps.encoder:build
    args: {model: encoder_minilm, padding: bucketed}      # and what `variant` knows

Each sentence of a request joins a batch by itself, so `max_batch_size` counts sentences. `padding` says how long a
batch is: `max`, always `max_length` tokens; `longest`, as long as its longest sentence; `bucketed`, the same, and only
sentences of like length wait together.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

from ray import serve
from ray.serve import Application

from serve_apps.batches import Inputs
from serve_apps.checks import split
from serve_apps.classifier import OPTIONS
from serve_apps.encoding import BUCKETED, Encoding, EncodingModel, bucket
from serve_apps.encoding import KEYS as ENCODING_KEYS
from serve_apps.engine import Model
from serve_apps.nets.store import ENCODERS
from serve_apps.nets.weights import origin
from serve_apps.sentences import SentenceReplica
from serve_apps.settings import Source
from serve_apps.tokens import tokenizer
from serve_apps.variant import KEYS, Variant
from serve_apps.vocabulary import TEXT


class EncoderReplica(SentenceReplica):
    """An encoder in one replica, with the classifier's knobs."""

    def __init__(self, source: Source, asked: Encoding, variant: Variant) -> None:
        self._asked = asked
        super().__init__(source, variant)

    def _load(self, threads: int) -> Model:
        name = self._source.name
        return EncodingModel(super()._load(threads), tokenizer(name), self._asked, origin(name))

    def _line(self, inputs: Inputs) -> Hashable:
        """One for all, or by the length of the one sentence."""
        return bucket(len(inputs[TEXT][0])) if self._asked.padding == BUCKETED else None


Encoder = serve.deployment(name="Encoder", **OPTIONS)(EncoderReplica)


def build(args: dict[str, Any]) -> Application:
    """The application for Serve. `args`: `model`, one of the bundled encoders; `padding`; `max_length`; `variant`'s.

    Raises ValueError, which fails the deployment with its message, for anything else.
    """
    model, encoding, variant = split(args, ("model",), ENCODING_KEYS, KEYS)
    source = Source.from_args(model, ENCODERS, own=False)
    return Encoder.bind(source, Encoding.from_args(encoding), Variant.from_args(variant))
