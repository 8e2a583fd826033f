"""Why a configuration is not worth deploying, in a word for counts and in a sentence for people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

RESOURCES = "more resources than the node has"
WAIT = "batch wait beyond the SLO"
BATCH = "batch cannot form"
DUPLICATE = "same as another"


class Finding(NamedTuple):
    """`reason` is one of the four above; `sentence` has the figures."""

    reason: str
    sentence: str


def summary(pruned: Mapping[str, int]) -> str:
    """`14 (9 batch cannot form, 5 same as another)`, the most frequent reason first; `none` for no configurations."""
    ranked = sorted(((count, reason) for reason, count in pruned.items() if count), key=lambda entry: -entry[0])
    if not ranked:
        return "none"
    listed = ", ".join(f"{count:,} {reason}" for count, reason in ranked)
    return f"{sum(count for count, _ in ranked):,} ({listed})"


def short(value: float) -> str:
    """A setting in a sentence: whole numbers in full, others with three significant digits."""
    return f"{value:.3g}" if value % 1 else f"{value:.0f}"
