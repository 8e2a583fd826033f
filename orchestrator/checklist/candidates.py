"""What is tried for an item: one change of the file's own configuration, or what makes trying needless. Values."""

from __future__ import annotations

from dataclasses import dataclass

from orchestrator.checklist.items import Item, Kind
from orchestrator.result import Configuration


@dataclass(frozen=True)
class Candidate:
    """`changes` {path: value} is tried for an item; `asks` names an argument that the application may not take."""

    item: Item
    changes: Configuration
    asks: str = ""


@dataclass(frozen=True)
class Settled:
    """An item, or a part of it, that is answered without a measurement."""

    item: Item
    kind: Kind
    finding: str
