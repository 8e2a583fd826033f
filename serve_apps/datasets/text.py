"""Sentences to translate: the lines of a plain-text file, or made up by the grammar."""

from __future__ import annotations

from pathlib import Path

from serve_apps.datasets.grammar import sentences
from serve_apps.vocabulary import words_of


def read_lines(path: Path, longest: int) -> list[str]:
    """The lines of a text in UTF-8 that have 1 to `longest` words, in their order.

    ValueError, naming the file, when that is no text or has no such line.
    """
    if not path.is_file():
        raise ValueError(f"{path} is no file: sentences come from a plain-text file, one a line")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is no text in UTF-8: {error}") from error
    lines = [line.strip() for line in text.splitlines() if 1 <= len(words_of(line)) <= longest]
    if not lines:
        raise ValueError(f"{path} has no line of 1 to {longest} words")
    return lines


def made_up_lines(count: int, seed: int) -> list[str]:
    """So many sentences of the grammar, whose words the translator knows."""
    return [" ".join(english) for english, _ in sentences(count, seed)]
