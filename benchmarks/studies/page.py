"""A page of a study: prose by hand, and between markers tables that are made from what was measured. Pure.

    <!-- table: grid clothing_batches | load.items_per_request | items_per_s -->
    ... what stands here is replaced ...
    <!-- end -->

After `table:` come the kind of table, the experiment, and what the kind takes, separated by bars.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

_BLOCK = re.compile(r"^(<!-- table: (?P<words>[^\n]*?) -->)\n.*?^(<!-- end -->)$", re.MULTILINE | re.DOTALL)


class Wanted(NamedTuple):
    """What a marker asks for: the kind of table, the experiment, and lists of words."""

    kind: str
    experiment: str
    arguments: tuple[tuple[str, ...], ...]

    @classmethod
    def parse(cls, words: str) -> Wanted:
        """ValueError where kind or experiment are missing."""
        first, *rest = (part.strip() for part in words.split("|"))
        kind, experiment = first.split()
        return cls(kind, experiment, tuple(tuple(word.strip() for word in part.split(",")) for part in rest))


def wanted(page: str) -> list[Wanted]:
    """What the markers of a page ask for, in its order."""
    return [Wanted.parse(block["words"]) for block in _BLOCK.finditer(page)]


def filled(page: str, table: Callable[[Wanted], str]) -> str:
    """The page with a new table between each pair of markers; all else stays as it is."""

    def made(block: re.Match[str]) -> str:
        return f"{block[1]}\n\n{table(Wanted.parse(block['words']))}\n\n{block[3]}"

    return _BLOCK.sub(made, page)


def markdown(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table; every row has as many cells as there are headings."""
    ruled = [list(headings), ["---"] * len(headings), *map(list, rows)]
    return "\n".join(f"| {' | '.join(cell or ' ' for cell in row)} |" for row in ruled)
