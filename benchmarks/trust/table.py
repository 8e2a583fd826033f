"""What was asked of a measurement and what was found: one line each, and exit status 1 when something was missed."""

from __future__ import annotations

import platform
import sys
from collections.abc import Sequence
from dataclasses import dataclass

VERDICTS = {True: "holds", False: "MISSED", None: ""}


@dataclass(frozen=True)
class Line:
    """One promise: `asked` and `found` in words, and whether it is kept; None where nothing is asked."""

    subject: str
    asked: str
    found: str
    holds: bool | None


def within(subject: str, truth: float, found: float, share: float, plus: float = 0.0, unit: str = "ms") -> Line:
    """Asks that `found` is within `share` of `truth`, and `plus` on top of that."""
    deviation = found - truth
    asked = f"{truth:.2f} {unit} ± {share:.0%}" + (f" + {plus:g}" if plus else "")
    shown = f"{found:.2f} ({deviation / truth:+.1%})"
    return Line(subject, asked, shown, abs(deviation) <= share * truth + plus)


def at_least(subject: str, count: int, of: int, share: float) -> Line:
    """Asks that at least `share` of the cases are so."""
    return Line(subject, f"≥ {share:.0%}", f"{count} of {of}", of > 0 and count >= share * of)


def at_most(subject: str, count: int, of: int, share: float) -> Line:
    """Asks that at most `share` of the cases are so."""
    return Line(subject, f"≤ {share:.0%}", f"{count} of {of}", of > 0 and count <= share * of)


def shown(subject: str, found: str) -> Line:
    """A figure beside the others, about which nothing is promised."""
    return Line(subject, "", found, None)


def show(lines: Sequence[Line]) -> None:
    """Print the table; ends the process with 1 when a promise is not kept."""
    print(f"{platform.machine()}, Python {platform.python_version()}")
    columns = [("", "asked", "found", "")]
    columns += [(line.subject, line.asked, line.found, VERDICTS[line.holds]) for line in lines]
    widths = [max(len(row[place]) for row in columns) for place in range(4)]
    for row in columns:
        print("  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip())
    sys.exit(1 if any(line.holds is False for line in lines) else 0)
