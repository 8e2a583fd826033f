"""A sentence as the numbers of its words, for an encoder. Imports nothing heavy: replicas use it."""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable

from serve_apps.nets.weights import VOCABULARY, folder

FIRST, LAST = 101, 102
"""Numbers that BERT's vocabulary begins and ends a sentence with."""

_WORDS_FROM, _WORDS = 1_000, 29_522
_WORD = re.compile(r"\w+|[^\w\s]")

Tokenizer = Callable[[str], list[int]]


def tokenizer(name: str) -> Tokenizer:
    """How the encoder `name` reads a sentence: in the word pieces of its true vocabulary, or by checksums.

    ModuleNotFoundError, which names the extra, where there are weights and nothing to read their vocabulary with.
    """
    files = folder(name)
    if files is None:
        return by_checksum
    try:
        from tokenizers import Tokenizer as WordPieces
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(f"{error}: pip install 'ray-serve-orchestrator[encoder]'") from None
    pieces = WordPieces.from_file(str(files / VOCABULARY))
    pieces.no_truncation()
    pieces.no_padding()
    return lambda text: pieces.encode(text).ids


def by_checksum(text: str) -> list[int]:
    """One number for each word and mark, in lower case: seeded weights know no words, so any number will do.

    A text has about as many of them as it has word pieces for a trained vocabulary.
    """
    words = _WORD.findall(text.lower())
    return [FIRST, *(_WORDS_FROM + zlib.crc32(word.encode()) % _WORDS for word in words), LAST]
