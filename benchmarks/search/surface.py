"""A recorded surface: the configurations of an experiment's grid with what was measured of them, in one file.

The file is JSON, one measurement a line. A measurement has the status and the figures of a trial, those that have an
interval with `_lo` and `_hi`; numbers have four digits.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from orchestrator.plain import identity
from orchestrator.result import Configuration, Status

SURFACES = Path(__file__).with_name("surfaces")
SEARCH_SPACES = Path(__file__).parents[2] / "search_spaces"
DIGITS = 4


@dataclass(frozen=True)
class Record:
    """One measurement of one configuration; a figure that was not measured is absent."""

    configuration: Configuration
    status: Status
    figures: Mapping[str, float]


@dataclass(frozen=True)
class Surface:
    """The measurements of one experiment in the order in which they were made.

    `sessions` has for each stretch that was measured in one go its environment, as `describe_environment` gives it,
    and as `first` the place of its first measurement.
    """

    name: str
    records: tuple[Record, ...] = ()
    sessions: tuple[Mapping[str, Any], ...] = ()

    def configurations(self) -> dict[str, Configuration]:
        """Every configuration once, by its identity."""
        return {identity(record.configuration): record.configuration for record in self.records}

    @property
    def file_name(self) -> str:
        """Of its file."""
        return f"{self.name}.json"


def load_surface(path: Path) -> Surface:
    """The surface in a file that `save_surface` wrote; where there is none, one of which nothing is measured yet."""
    if not path.exists():
        return Surface(path.stem)
    document = json.loads(path.read_text(encoding="utf-8"))
    knobs, figures = document["knobs"], document["figures"]
    records = []
    for status, *values in document["measurements"]:
        configuration = dict(zip(knobs, values, strict=False))
        measured = zip(figures, values[len(knobs) :], strict=True)
        records.append(Record(configuration, Status(status), {name: v for name, v in measured if v is not None}))
    return Surface(path.stem, tuple(records), tuple(document["sessions"]))


def save_surface(surface: Surface, directory: Path = SURFACES) -> None:
    """Writes the surface to its file, which at any time is there in full."""
    knobs = _names(record.configuration for record in surface.records)
    figures = _names(record.figures for record in surface.records)
    lines = [json.dumps(_line(record, knobs, figures), separators=(",", ":")) for record in surface.records]
    head = json.dumps({"sessions": surface.sessions, "knobs": knobs, "figures": figures}, indent=1)
    text = head.removesuffix("\n}") + ',\n "measurements": [\n' + ",\n".join(lines) + "\n ]\n}\n"
    directory.mkdir(parents=True, exist_ok=True)
    draft = directory / f"{surface.name}.part"
    draft.write_text(text, encoding="utf-8")
    draft.replace(directory / surface.file_name)


def _line(record: Record, knobs: list[str], figures: list[str]) -> list[Any]:
    return [
        str(record.status),
        *(record.configuration[name] for name in knobs),
        *(_rounded(record.figures.get(name, math.nan)) for name in figures),
    ]


def _rounded(value: float) -> float | None:
    """With DIGITS significant digits; None for what JSON has no number for."""
    if not math.isfinite(value):
        return None
    short = float(f"{value:.{DIGITS}g}")
    return int(short) if short.is_integer() else short


def _names(mappings: Iterable[Mapping[str, Any]]) -> list[str]:
    """Every key, in the order in which they come up."""
    return list(dict.fromkeys(name for mapping in mappings for name in mapping))
