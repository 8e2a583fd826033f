"""Small figures side by side, one for each of several things that have scales of their own."""

from __future__ import annotations

from collections.abc import Sequence

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from orchestrator.figures.style import AXIS, framed

ROW, GAP, HEAD, FOOT = 240, 85, 112, 66
"""Pixels: of a panel, between two rows of them, above all of them (title, legend), and below."""

ACROSS = 0.09
"""Share of the width between two panels: their axes have numbers."""


def panels(title: str, names: Sequence[str], x: str, y: str, columns: int = 2) -> go.Figure:
    """An empty figure with a named panel for each of `names`; `x` and `y` are the titles of all their axes.

    The place of a panel is what `place` says.
    """
    columns = min(columns, len(names))
    rows = -(-len(names) // columns)
    inner = rows * ROW + (rows - 1) * GAP
    figure = framed(title, "", "", height=HEAD + inner + FOOT)
    make_subplots(
        rows,
        columns,
        subplot_titles=list(names),
        x_title=x,
        y_title=y,
        horizontal_spacing=ACROSS if columns > 1 else 0,
        vertical_spacing=GAP / inner if rows > 1 else 0,
        figure=figure,
    )
    figure.update_xaxes(**AXIS).update_yaxes(**AXIS)
    # from the top of the picture: of how many rows it consists must not matter
    top = 1 - 40 / figure.layout.height
    return figure.update_layout(
        margin={"t": HEAD, "b": FOOT, "l": 86}, legend={"yref": "container", "y": top, "yanchor": "top"}
    )


def place(index: int, names: Sequence[str], columns: int = 2) -> dict[str, int]:
    """Row and column of a panel, as plotly takes them."""
    row, column = divmod(index, min(columns, len(names)))
    return {"row": row + 1, "col": column + 1}
