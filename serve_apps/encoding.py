"""Sentences in, vectors out: an encoder behind its tokenizer, with batches padded as is asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from serve_apps.checks import Allowed, checked, integer, one_of
from serve_apps.engine import Model
from serve_apps.model_spec import ModelSpec, TensorSpec
from serve_apps.tensors import RequestError
from serve_apps.tokens import Tokenizer
from serve_apps.vocabulary import PADDING, TEXT, TOKENS

MAX, LONGEST, BUCKETED = "max", "longest", "bucketed"
VECTOR = "vector"
MASK = "attention_mask"
POSITIONS = 512
MOST_WORDS = 100
"""Of a line of a user's text; longer ones are left out. With `max_length` as it is, all others can be read."""

_ALLOWED: Allowed = {"padding": one_of(MAX, LONGEST, BUCKETED), "max_length": integer(8, POSITIONS)}
KEYS = tuple(_ALLOWED)
_SHORTEST_BUCKET = 16


@dataclass(frozen=True)
class Encoding:
    """How sentences are read, of the application's `args`."""

    padding: str = LONGEST
    max_length: int = 128  # tokens of a sentence, its first and last mark among them

    @classmethod
    def from_args(cls, args: Any) -> Encoding:
        """ValueError for anything that is not allowed."""
        return cls(**checked(args, _ALLOWED, "args"))


def bucket(length: int) -> int:
    """The longest that a sentence may be to wait with one of so many tokens: 16, 32, 64 …; 16 for all that are shorter.

    In a batch no sentence but the shortest is then padded to more than twice its length.
    """
    return max(_SHORTEST_BUCKET, 1 << (length - 1).bit_length())


class EncodingModel:
    """A drop-in for the encoder that it holds: text in place of tokens.

    Input `text`, BYTES [n]. Outputs `vector`, FP32 [n, hidden], the `tokens` of each sentence and the places `padding`
    that filled it up in its batch, both INT32 [n].
    """

    def __init__(self, encoder: Model, tokenize: Tokenizer, asked: Encoding, weights: str) -> None:
        self._encoder, self._tokenize, self._asked = encoder, tokenize, asked
        self.accuracy: float | None = encoder.accuracy
        (vector,) = encoder.spec.outputs
        counts = tuple(TensorSpec(name, "INT32", (None,)) for name in (TOKENS, PADDING))
        self.spec = ModelSpec(
            encoder.spec.name,
            (TensorSpec(TEXT, "BYTES", (None,)),),
            (TensorSpec(VECTOR, vector.datatype, vector.shape), *counts),
            encoder.spec.platform,
            {"weights": weights},
        )

    def prepare(self, inputs: Mapping[str, NDArray]) -> dict[str, NDArray]:
        """The sentences as lists of numbers, object [n]. RequestError for one that cannot be read."""
        rows = np.empty(len(inputs[TEXT]), object)
        for place, text in enumerate(inputs[TEXT].tolist()):  # a list of lists at once would become a matrix
            rows[place] = self._numbers(place, text)
        return {TEXT: rows}

    def run(self, inputs: dict[str, NDArray]) -> Sequence[NDArray]:
        """The outputs for sentences that `prepare` has made, all in one batch."""
        rows: list[list[int]] = inputs[TEXT].tolist()
        lengths = np.array([len(row) for row in rows], np.int32)
        width = self._asked.max_length if self._asked.padding == MAX else int(lengths.max())
        tokens = np.zeros((len(rows), width), np.int64)
        for place, row in enumerate(rows):
            tokens[place, : len(row)] = row
        mask = (np.arange(width) < lengths[:, np.newaxis]).astype(np.int64)
        names = self._encoder.spec.input_by_name
        (vectors,) = self._encoder.run({name: mask if name == MASK else tokens for name in names})
        return [vectors, lengths, width - lengths]

    def _numbers(self, place: int, text: bytes) -> list[int]:
        where = f"input {TEXT!r}, sentence {place + 1}"
        try:
            numbers = self._tokenize(text.decode())
        except UnicodeDecodeError:
            raise RequestError(f"{where}: it is not UTF-8") from None
        if len(numbers) > self._asked.max_length:
            most = self._asked.max_length
            raise RequestError(f"{where}: it has {len(numbers)} tokens; {most} can be read (args.max_length)")
        return numbers
