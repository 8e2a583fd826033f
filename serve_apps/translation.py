"""Sentences in, translations out: the translator's encoder and step, with greedy decoding of padded batches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from serve_apps.model_spec import ModelSpec, TensorSpec
from serve_apps.nets.store import STEP, part_path
from serve_apps.onnx_model import OnnxModel
from serve_apps.tensors import RequestError
from serve_apps.vocabulary import (
    END,
    LONGEST,
    PAD,
    PADDING,
    START,
    TEXT,
    TOKENS,
    TRANSLATION,
    source_numbers,
    written,
)

OUTPUTS = (TRANSLATION, TOKENS, PADDING)

FURTHER, AT_LEAST = 2, 4
"""A translation ends with `FURTHER` times the words of its sentence and `AT_LEAST` more, if it has not before."""


class TranslationModel:
    """Both files of the translator, loaded; a drop-in for `OnnxModel`.

    Input `text`, BYTES [n]. Outputs `translation`, BYTES [n], the words `tokens` of each sentence and the places
    `padding` that filled it up to the longest of its batch, both INT32 [n].
    """

    accuracy: float | None = None  # of a translation there is no one figure

    def __init__(self, name: str, path: Path, threads: int, length_limit: int) -> None:
        self._encoder = OnnxModel(name, path, threads)
        self._step = OnnxModel(name, part_path(path, STEP), threads)
        self._length_limit = length_limit
        datatypes = ("BYTES", "INT32", "INT32")
        self.spec = ModelSpec(
            name,
            (TensorSpec(TEXT, "BYTES", (None,)),),
            tuple(TensorSpec(output, kind, (None,)) for output, kind in zip(OUTPUTS, datatypes, strict=True)),
        )

    def prepare(self, inputs: Mapping[str, NDArray]) -> dict[str, NDArray]:
        """The sentences as lists of numbers, object [n]. RequestError for one that cannot be translated."""
        return {TEXT: _objects([_numbers(place, text) for place, text in enumerate(inputs[TEXT].tolist())])}

    def run(self, inputs: dict[str, NDArray]) -> list[NDArray]:
        """The outputs for sentences that `prepare` has made, all in one batch."""
        rows: list[list[int]] = inputs[TEXT].tolist()
        lengths = np.array([len(row) for row in rows], np.int32)
        width = int(lengths.max())
        tokens = np.full((len(rows), width), PAD, np.int64)
        for place, row in enumerate(rows):
            tokens[place, : len(row)] = row
        said = self._write(tokens, np.minimum(FURTHER * lengths + AT_LEAST, self._length_limit))
        return [_objects([written(row).encode() for row in said.tolist()]), lengths, width - lengths]

    def _write(self, tokens: NDArray[np.int64], most: NDArray[np.int32]) -> NDArray[np.int64]:
        """The likeliest word after those before, until every sentence has ended or is `most` [n] words long.

        Returns [n, longest], filled up with `END`.
        """
        read, state = self._encoder.run({"tokens": tokens})
        words = np.full((len(tokens), 1), START, np.int64)
        said = np.full((len(tokens), int(most.max())), END, np.int64)
        for place in range(said.shape[1]):
            going_on = (words[:, 0] != END) & (place < most)
            if not going_on.any():
                break
            logits, state = self._step.run({"words": words, "state": state, "read": read, "tokens": tokens})
            said[:, place] = np.where(going_on, logits[:, -1].argmax(axis=1), END)
            words = said[:, place : place + 1]
        return said


def _numbers(place: int, text: bytes) -> list[int]:
    where = f"input {TEXT!r}, sentence {place + 1}"
    try:
        numbers = source_numbers(text.decode())
    except UnicodeDecodeError:
        raise RequestError(f"{where}: it is not UTF-8") from None
    if not 1 <= len(numbers) <= LONGEST:
        raise RequestError(f"{where}: it has {len(numbers)} words and marks; 1 to {LONGEST} can be translated")
    return numbers


def _objects(elements: Sequence[object]) -> NDArray:
    array = np.empty(len(elements), object)
    for place, element in enumerate(elements):  # a list of lists at once would become a matrix
        array[place] = element
    return array
