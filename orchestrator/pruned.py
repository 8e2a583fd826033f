"""Why configurations are not worth deploying, in a word each: for counts, and for those who only count."""

from __future__ import annotations

from collections.abc import Mapping

RESOURCES = "more resources than the node has"
WAIT = "batch wait beyond the SLO"
BATCH = "batch cannot form"
DUPLICATE = "same as another"


def summary(pruned: Mapping[str, int]) -> str:
    """`14 (9 batch cannot form, 5 same as another)`, the most frequent reason first; `none` for no configurations."""
    ranked = sorted(((count, reason) for reason, count in pruned.items() if count), key=lambda entry: -entry[0])
    if not ranked:
        return "none"
    listed = ", ".join(f"{count:,} {reason}" for count, reason in ranked)
    return f"{sum(count for count, _ in ranked):,} ({listed})"
