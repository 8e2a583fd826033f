"""A page of a study: prose by hand, and between markers what is made from what was measured. Pure.

    <!-- table: grid clothing_batches | load.items_per_request | items_per_s -->
    ... what stands here is replaced ...
    <!-- end -->

    <!-- picture: convergence clothing -->
    <!-- end -->

After `table:` come the kind of table, the experiment, and what the kind takes, separated by bars; after `picture:` the
name of the figure and the experiment.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

TABLE, PICTURE = "table", "picture"

_BLOCK = re.compile(
    rf"^(<!-- (?P<what>{TABLE}|{PICTURE}): (?P<words>[^\n]*?) -->)\n.*?^(?P<end><!-- end -->)$",
    re.MULTILINE | re.DOTALL,
)


class Wanted(NamedTuple):
    """What a marker asks for: the kind of table, or the name of a figure, the experiment, and lists of words."""

    kind: str
    experiment: str
    arguments: tuple[tuple[str, ...], ...] = ()
    what: str = TABLE

    @classmethod
    def parse(cls, words: str, what: str = TABLE) -> Wanted:
        """ValueError where kind or experiment are missing."""
        first, *rest = (part.strip() for part in words.split("|"))
        kind, experiment = first.split()
        return cls(kind, experiment, tuple(tuple(word.strip() for word in part.split(",")) for part in rest), what)


def wanted(page: str) -> list[Wanted]:
    """What the markers of a page ask for, in its order."""
    return [Wanted.parse(block["words"], block["what"]) for block in _BLOCK.finditer(page)]


def filled(page: str, make: Callable[[Wanted], str | None]) -> str:
    """The page with what is made between each pair of markers; where that is None, and all else, stays as it is."""

    def made(block: re.Match[str]) -> str:
        text = make(Wanted.parse(block["words"], block["what"]))
        return block[0] if text is None else f"{block[1]}\n\n{text}\n\n{block['end']}"

    return _BLOCK.sub(made, page)


def markdown(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table; every row has as many cells as there are headings."""
    ruled = [list(headings), ["---"] * len(headings), *map(list, rows)]
    return "\n".join(f"| {' | '.join(cell or ' ' for cell in row)} |" for row in ruled)
