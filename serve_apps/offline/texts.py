"""A text turned into vectors over night: sentences are tokenised, put into batches and encoded; a step is a whole run.

    import_path: serve_apps.offline.texts:build
    args: {model: encoder_minilm, batch_size: 32, padding: bucketed, items: 512}

All sentences are there from the beginning, so `padding: bucketed` sorts them by their length before batches are made.
The parts of a run, in milliseconds: `tokenize_ms`, sorting included, and `inference_ms`.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from serve_apps.checks import Allowed, checked, integer, one_of, split
from serve_apps.datasets.text import made_up_lines, read_lines
from serve_apps.encoding import BUCKETED, MOST_WORDS, Encoding, EncodingModel
from serve_apps.encoding import KEYS as ENCODING_KEYS
from serve_apps.nets.store import ENCODERS
from serve_apps.nets.weights import origin
from serve_apps.offline.models import KEYS, make, opened, report, variant_of
from serve_apps.tokens import tokenizer
from serve_apps.variant import Variant
from serve_apps.vocabulary import TEXT

SEED = 0

# The upper bounds only catch slips; none is a technical limit.
_ALLOWED: Allowed = {
    "model": one_of(*ENCODERS),
    "batch_size": integer(1, 65_536),
    "items": integer(1, 100_000_000),
    "data": ("the path of a text, a sentence a line", lambda value: isinstance(value, str)),
}


@dataclass(frozen=True)
class TextsArgs:
    """What a run over sentences is: so many `items`, made up or the lines of the file `data` in turn."""

    variant: Variant
    encoding: Encoding
    model: str = "encoder_minilm"
    batch_size: int = 32
    items: int = 256
    data: str | None = None

    @classmethod
    def from_args(cls, args: Any) -> TextsArgs:
        """The job's `args`. ValueError for what is not allowed, InfeasibleError for what does not go together."""
        own, encoding, variant = split(args, tuple(_ALLOWED), ENCODING_KEYS, KEYS)
        return cls(variant_of(variant), Encoding.from_args(encoding), **checked(own, _ALLOWED, "args"))

    def sentences(self) -> list[bytes]:
        """In UTF-8. ValueError, naming the file, where that is no text."""
        lines = (
            made_up_lines(self.items, SEED)
            if self.data is None
            else read_lines(Path(self.data).expanduser(), MOST_WORDS)
        )
        return [lines[place % len(lines)].encode() for place in range(self.items)]


class TextRuns:
    """Runs over the same sentences."""

    def __init__(self, args: TextsArgs, model: EncodingModel, sentences: list[bytes]) -> None:
        self._args, self._model = args, model
        self._sentences = np.array(sentences, object)

    def step(self) -> dict[str, Any]:
        """One run."""
        began_s = time.perf_counter()
        rows = self._model.prepare({TEXT: self._sentences})[TEXT]
        batches = list(self._batches(rows))
        tokenised_s = time.perf_counter()
        for batch in batches:
            self._model.run({TEXT: batch})
        ended_s = time.perf_counter()
        parts = {"tokenize_ms": (tokenised_s - began_s) * 1e3, "inference_ms": (ended_s - tokenised_s) * 1e3}
        return report(len(rows), parts, self._model.accuracy)

    def _batches(self, rows: NDArray) -> Iterator[NDArray]:
        """In the order of the text, or from the shortest sentence to the longest."""
        if self._args.encoding.padding == BUCKETED:
            rows = rows[np.argsort([len(row) for row in rows], kind="stable")]
        size = self._args.batch_size
        return (rows[start : start + size] for start in range(0, len(rows), size))


def prepare(args: Mapping[str, Any]) -> None:
    """Makes the model in its variant, unless that was done before."""
    wanted = TextsArgs.from_args(args)
    make(wanted.model, wanted.variant)
    wanted.sentences()


def build(args: Mapping[str, Any]) -> TextRuns:
    """The job. ValueError for an argument that is not allowed, InfeasibleError for what cannot be had."""
    wanted = TextsArgs.from_args(args)
    encoder = opened(wanted.model, wanted.variant)
    model = EncodingModel(encoder, tokenizer(wanted.model), wanted.encoding, origin(wanted.model))
    return TextRuns(wanted, model, wanted.sentences())
