"""Time per item by the size of the batch: as measured, and as a multiple of each curve's best."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import plotly.graph_objects as go

from orchestrator.figures.style import (
    AXIS,
    BLACK,
    BLUE,
    GREEN,
    LOGARITHMIC,
    ORANGE,
    PURPLE,
    SKY,
    VERMILLION,
    bars,
    framed,
)
from orchestrator.figures.words import Hover
from orchestrator.insight import BatchCurve, Reading
from orchestrator.insight.batches import WITHIN
from orchestrator.measure.interval import Interval
from orchestrator.names import figure as figure_text

COLORS = (BLUE, VERMILLION, GREEN, ORANGE, PURPLE, SKY, BLACK)
SYMBOLS = ("circle", "square", "diamond", "triangle-up", "cross", "triangle-down", "star")
"""So that lines are not told apart by colour alone."""

GAP = 0.06
"""Of the width, between two panels."""


def batches_figure(curves: Sequence[BatchCurve], hover: Hover) -> go.Figure | None:
    """Milliseconds per item; None where no sizes were compared."""
    return _drawn(curves, hover, "Time per item by batch size", "ms per item", normalised=False)


def normalised_figure(curves: Sequence[BatchCurve], hover: Hover) -> go.Figure | None:
    """The same over the best of each curve: 1 is the best batch of it."""
    title = "Time per item by batch size, as a multiple of the best"
    return _drawn(curves, hover, title, "time per item / the best", normalised=True)


def on_batches(curves: Sequence[BatchCurve]) -> Iterator[str]:
    """The smallest batch that is as good as the best one, curve by curve."""
    if not curves:
        yield "No two sizes of a batch were measured."
    for curve in curves:
        best, enough = curve.best, curve.sufficient
        what = f"{curve.name} ({curve.panel})" if curve.panel else curve.name
        yield (
            f"{what}: an item takes least in batches of {best.size:g}, {figure_text(best.item_ms.value, ' ms')}; "
            f"batches of {enough.size:g} are within {WITHIN:.0%} of that{_not_worse(curve)}."
        )


def _not_worse(curve: BatchCurve) -> str:
    """What the intervals leave open, if that is more than the figures say."""
    size = curve.acceptable.size
    return f", and those of {size:g} were not shown to be worse" if size < curve.sufficient.size else ""


def _drawn(curves: Sequence[BatchCurve], hover: Hover, title: str, y: str, normalised: bool) -> go.Figure | None:
    if not curves:
        return None
    figure = framed(title, "items in a batch", y)
    panels, names = list(dict.fromkeys(c.panel for c in curves)), list(dict.fromkeys(c.name for c in curves))
    sizes = sorted({point.size for curve in curves for point in curve.points})
    width = (1 - GAP * (len(panels) - 1)) / len(panels)
    for place, panel in enumerate(panels):
        start = place * (width + GAP)
        number = "" if place == 0 else str(place + 1)
        x_axis = {**AXIS, "type": "log", "tickvals": sizes, "title": "items in a batch", "anchor": f"y{number}"}
        y_axis = {**AXIS, **LOGARITHMIC, "anchor": f"x{number}", **({"title": y} if place == 0 else {"matches": "y"})}
        x_axis["domain"] = [start, start + width]
        figure.update_layout({f"xaxis{number}": x_axis, f"yaxis{number}": y_axis})
        if panel:
            place_of = {"x": start + width / 2, "y": 1, "xref": "paper", "yref": "paper", "yanchor": "top"}
            figure.add_annotation(text=panel, showarrow=False, **place_of)
        for curve in (one for one in curves if one.panel == panel):
            figure.add_trace(_line(curve, names.index(curve.name), hover, normalised, number))
    shown = set()
    for trace in figure.data:  # each name once in the legend
        trace.showlegend = trace.name not in shown
        shown.add(trace.name)
    return figure


def _line(curve: BatchCurve, place: int, hover: Hover, normalised: bool, number: str) -> go.Scatter:
    color = COLORS[place % len(COLORS)]
    best_ms = curve.best.item_ms.value if normalised else 1.0
    readings = [_over(point.item_ms, best_ms) for point in curve.points]
    return go.Scatter(
        x=[point.size for point in curve.points],
        y=[one.value for one in readings],
        error_y=bars(readings, color),
        mode="lines+markers",
        name=curve.name or "all",
        legendgroup=curve.name,
        line={"color": color, "width": 2},
        marker={"symbol": SYMBOLS[place % len(SYMBOLS)], "size": 8},
        hovertext=[hover(point.trials[0]) for point in curve.points],
        hoverinfo="text",
        xaxis=f"x{number}",
        yaxis=f"y{number}",
    )


def _over(reading: Reading, divisor: float) -> Reading:
    interval = reading.interval
    scaled = None if interval is None else Interval(interval.lo / divisor, interval.hi / divisor)
    return Reading(reading.value / divisor, scaled)
