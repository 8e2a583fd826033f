"""Why a configuration is not worth deploying, in a sentence."""

from __future__ import annotations

from typing import NamedTuple


class Finding(NamedTuple):
    """`reason` is one of the words in `orchestrator.pruned`; `sentence` has the figures."""

    reason: str
    sentence: str


def short(value: float) -> str:
    """A setting in a sentence: whole numbers in full, others with three significant digits."""
    return f"{value:.3g}" if value % 1 else f"{value:.0f}"
