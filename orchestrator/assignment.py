"""What a trial is to do: a searcher's suggestion as a value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from orchestrator.measure.race import Rival
from orchestrator.result import Configuration


@dataclass(frozen=True)
class Assignment:
    """A configuration to measure, as trial `number`; one that `rival` beats for certain may be given up early.

    A `replication`, counted from 0, measures the trial `confirms` again: deployed afresh, and to the end.
    """

    number: int
    configuration: Configuration
    rival: Rival | None = None
    confirms: int | None = None
    replication: int | None = None

    @classmethod
    def of(cls, suggestion: Mapping[str, Any], maximize: bool) -> Assignment:
        """From what a searcher suggests; `maximize` is the direction of the first objective."""
        best = suggestion.get("rival")
        rival = Rival(best["value"], best["half_width"], maximize) if best else None
        again = {key: suggestion.get(key) for key in ("confirms", "replication")}
        return cls(suggestion["number"], suggestion["configuration"], rival, **again)
