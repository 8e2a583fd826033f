"""Tables of text, as all commands print them."""

from __future__ import annotations

import math

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table

_ANY_WIDTH = 10_000


def plain_table(title: str | None = None) -> Table:
    """An empty table of text, with a title above."""
    return Table(
        title=title,
        title_justify="left",
        box=SIMPLE_HEAD,
        padding=(0, 1),
        collapse_padding=True,
        pad_edge=False,
        show_edge=False,
    )


def fits(console: Console, table: Table) -> bool:
    """Whether all of it can be read at the console's width."""
    return Measurement.get(console, console.options.update_width(_ANY_WIDTH), table).maximum <= console.width


def share(regret: float) -> str:
    """A regret as a percentage; a dash where there is none."""
    return f"{regret:.1%}" if math.isfinite(regret) else "–"
