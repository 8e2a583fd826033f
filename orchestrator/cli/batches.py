"""The size of a batch that suffices, as a table for the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich.box import SIMPLE_HEAD
from rich.table import Table

from orchestrator.insight import BatchCurve
from orchestrator.insight.batches import WITHIN, BatchPoint
from orchestrator.names import figure


def batches_table(curves: Sequence[BatchCurve]) -> Table:
    """For each curve the best batch, the smallest that is nearly as good, and what small batches cost."""
    title = f"the smallest batch within {WITHIN:.0%} of the best time per item"
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, padding=(0, 1), pad_edge=False, show_edge=False)
    for heading in ("", "", "not shown\nworse from", "batch", "item, ms", "best batch", "item, ms", "in the smallest"):
        table.add_column(heading, justify="left" if not heading else "right", no_wrap=True)
    for curve in curves:
        smallest = f"×{figure(curve.gain)} in {curve.points[0].size:g}"
        shown = f"{curve.acceptable.size:g}"
        table.add_row(curve.name, curve.panel, shown, *_told(curve.sufficient), *_told(curve.best), smallest)
    return table


def _told(point: BatchPoint) -> tuple[str, str]:
    """The size, and the time with its interval."""
    value, interval = point.item_ms
    between = f" ({figure(interval.lo)}–{figure(interval.hi)})" if interval else ""
    return f"{point.size:g}", figure(value) + between
