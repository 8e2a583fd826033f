"""Where the time went, configuration by configuration."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import plotly.graph_objects as go

from orchestrator.figures.style import BLUE, GREEN, GREY, ORANGE, SKY, YELLOW, draw_limit, framed
from orchestrator.figures.words import Hover, label_of
from orchestrator.insight import Insight, Times
from orchestrator.names import PARTS, value_text
from orchestrator.names import figure as figure_text
from orchestrator.result import BASELINE

MOST = 24
"""Configurations that are shown: the best ones, and the baseline."""

LOOKS = dict(zip(PARTS, ((GREY, "."), (SKY, ""), (ORANGE, "/"), (YELLOW, "x"), (BLUE, ""), (GREEN, "\\")), strict=True))
"""Colour and pattern of each part, so that it is not by colour alone that they are told apart."""

BAR, FRAME = 22, 190
"""Pixels of a bar, and of what is around them."""


def breakdown_figure(
    insight: Insight, limits: Mapping[str, float], names: Mapping[str, str], hover: Hover
) -> go.Figure | None:
    """Stacked bars of the best configurations, of all requests and of the slowest 1 %; None where no part is known."""
    ranked = insight.times
    if not ranked:
        return None
    baseline = [row for row in ranked[MOST - 1 :] if row.trial.number == BASELINE]
    rows = {_label(row, names): row for row in (*ranked[: MOST - len(baseline)], *baseline)}
    title = "Where the time goes, best configuration first"
    figure = framed(title, "mean of all requests, ms", "", height=FRAME + BAR * len(rows))
    sides = (("x", [row.mean_ms for row in rows.values()]), ("x2", [row.tail_ms for row in rows.values()]))
    for part in PARTS:
        for axis, parts in sides:
            if any(part in ms for ms in parts):
                bars = _bars(part, rows, [ms.get(part) for ms in parts], hover)
                figure.add_trace(bars.update(xaxis=axis, showlegend=axis == "x"))
    draw_limit(figure, limits.get("latency_mean_ms"), "ms", across=False)
    slowest = figure.layout.xaxis.to_plotly_json() | {"title": "mean of the slowest 1 %, ms", "domain": [0.52, 1.0]}
    figure.update_layout(barmode="relative", xaxis_domain=[0.0, 0.49], xaxis2=slowest)
    return figure.update_yaxes(autorange="reversed", type="category")


def _bars(part: str, rows: Mapping[str, Times], values: Sequence[float | None], hover: Hover) -> go.Bar:
    color, pattern = LOOKS[part]
    return go.Bar(
        orientation="h",
        x=values,
        y=list(rows),
        name=PARTS[part],
        legendgroup=part,
        marker={"color": color, "pattern": {"shape": pattern, "fillmode": "overlay", "fgcolor": "#FFFFFF", "size": 6}},
        hovertext=[
            f"<b>{PARTS[part]}: {figure_text(ms, ' ms')}</b><br>{hover(row.trial)}"
            for ms, row in zip(values, rows.values(), strict=True)
        ],
        hoverinfo="text",
    )


def _label(row: Times, names: Mapping[str, str]) -> str:
    values = row.trial.configuration
    knobs = (value_text(values[path]) if path in values else "–" for path in names)
    return f"{label_of(row.trial)}: {' · '.join(knobs)}"
