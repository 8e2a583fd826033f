"""Draws what `benchmarks.search.replay --json FILE` found: the regret of each algorithm, measurement by measurement.

    python -m benchmarks.search.curves FILE -o curves.html

A panel for each case. The regret is that of the best configuration so far, the median over the seeds; where that is
infinite (no configuration within the limit yet) the line has not begun.
"""

from __future__ import annotations

import argparse
import json
import math
from pathlib import Path

import plotly.graph_objects as go
from plotly.subplots import make_subplots

COLOURS = ("#0072B2", "#000000", "#6E6E6E", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
DASHES = {"random": "dot", "grid": "dash"}
"""Of the two that learn nothing, against which the others are to be seen."""

COLUMNS, PANEL_PX = 2, 330
GOAL = 0.02


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("found", type=Path, help="the JSON file")
    parser.add_argument("-o", "--output", type=Path, default=Path("curves.html"))
    options = parser.parse_args()
    figure(json.loads(options.found.read_text(encoding="utf-8"))).write_html(
        options.output, config={"displayModeBar": False}
    )
    print(options.output)


def figure(cases: list[dict]) -> go.Figure:
    """The panels, in the file's order."""
    rows = math.ceil(len(cases) / COLUMNS)
    drawn = make_subplots(
        rows, COLUMNS, subplot_titles=[case["case"] for case in cases], vertical_spacing=0.25 / rows, shared_yaxes=True
    )
    for place, case in enumerate(cases):
        where = {"row": place // COLUMNS + 1, "col": place % COLUMNS + 1}
        for number, (name, budgets) in enumerate(case["algorithms"].items()):
            longest = max(budgets.values(), key=lambda one: one["measurements"])
            line = {"color": COLOURS[number % len(COLOURS)], "dash": DASHES.get(name, "solid"), "width": 2}
            counts, curve = list(range(1, longest["measurements"] + 1)), longest["curve"]
            named = {"name": name, "legendgroup": name, "showlegend": place == 0}
            drawn.add_trace(go.Scatter(x=counts, y=curve, mode="lines", line=line, **named), **where)
        drawn.add_hline(y=GOAL, line={"color": "#B0B0B0", "width": 1}, **where)
    drawn.update_yaxes(tickformat=".0%", rangemode="tozero", title_text="median regret", col=1)
    drawn.update_xaxes(title_text="measurements, the baseline's first", row=rows)
    drawn.update_layout(
        template="plotly_white", height=PANEL_PX * rows, width=980, legend={"orientation": "h", "y": 1.12}
    )
    return drawn


if __name__ == "__main__":
    main()
