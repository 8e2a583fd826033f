"""Which knobs mattered."""

from __future__ import annotations

import math

import plotly.graph_objects as go

from orchestrator.figures.style import BLACK, BLUE, GREY, framed
from orchestrator.insight import Insight
from orchestrator.insight.sensitivity import SPREAD

BAR, FRAME = 46, 150
"""Pixels of a bar, and of what is around them."""


def sensitivity_figure(insight: Insight) -> go.Figure | None:
    """A bar for each knob, with its spread over the splits; hatched where nothing can be told. None without numbers."""
    found = insight.sensitivity
    if not found.importances or any(math.isnan(one.share) for one in found.importances):
        return None
    shown = list(reversed(found.importances))  # plotly begins at the bottom
    doubtful = [bool(found.doubt) or not one.shown for one in shown]
    low, high = SPREAD
    axis = f"share of the differences between trials in which the knob has a part ({low}th to {high}th percentile)"
    figure = framed("Which knobs mattered", axis, "", height=FRAME + BAR * len(shown))
    figure.add_trace(
        go.Bar(
            orientation="h",
            x=[one.share for one in shown],
            y=[one.column.name for one in shown],
            marker={
                "color": [GREY if doubt else BLUE for doubt in doubtful],
                "pattern": {"shape": ["/" if doubt else "" for doubt in doubtful]},
            },
            error_x={
                "type": "data",
                "symmetric": False,
                "array": [one.spread.hi - one.share for one in shown],
                "arrayminus": [one.share - one.spread.lo for one in shown],
                "color": BLACK,
            },
            hovertext=[f"{one.share:.0%} ({one.spread.lo:.0%} … {one.spread.hi:.0%})" for one in shown],
            hoverinfo="text",
        )
    )
    figure.update_xaxes(tickformat=".0%", zeroline=True, zerolinecolor=BLACK)
    return figure
