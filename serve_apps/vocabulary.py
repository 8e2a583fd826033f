"""Sentences as rows of numbers and back: the words that the translator knows, and how a text is cut into them. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from serve_apps.datasets.grammar import source_words, target_words

PAD, START, END, UNKNOWN = range(4)
"""Numbers that stand for no word: what fills up a row, the beginning and end of a translation, a word not known."""

RESERVED = 4
TEXT, TRANSLATION = "text", "translation"
"""Names of the translator's tensors."""

TOKENS, PADDING = "tokens", "padding"
"""The last outputs of whatever reads sentences, INT32 [n]: words of each, and places that filled it up in its batch."""

LONGEST = 200
"""Words of a sentence. Lines of text are far shorter; a whole book in one row would hold up everybody's batch."""

_WORD = re.compile(r"\w+|[^\w\s]")
_BEFORE_A_MARK = re.compile(r" (?=[,.])")
_SOURCE = {word: RESERVED + place for place, word in enumerate(source_words())}
_TARGET = dict(enumerate(target_words(), RESERVED))
SOURCE_SIZE, TARGET_SIZE = RESERVED + len(_SOURCE), RESERVED + len(_TARGET)


def words_of(text: str) -> list[str]:
    """The words of a text, marks among them, in lower case."""
    return _WORD.findall(text.lower())


def source_numbers(text: str) -> list[int]:
    """The words of an English sentence; `UNKNOWN` for those that are new."""
    return [_SOURCE.get(word, UNKNOWN) for word in words_of(text)]


def target_numbers(words: Iterable[str]) -> list[int]:
    """German words of the grammar as numbers; KeyError for another."""
    numbers = {word: number for number, word in _TARGET.items()}
    return [numbers[word] for word in words]


def written(numbers: Sequence[int]) -> str:
    """A translation as text, up to its end; what stands for no word is a question mark."""
    ended = numbers[: numbers.index(END)] if END in numbers else numbers
    return _BEFORE_A_MARK.sub("", " ".join(_TARGET.get(number, "?") for number in ended))
