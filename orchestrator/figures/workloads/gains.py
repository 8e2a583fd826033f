"""What searching gained under each workload."""

from __future__ import annotations

import math

import plotly.graph_objects as go

from orchestrator.figures.style import BLACK, BLUE, LOGARITHMIC, ORANGE, bars, framed, is_wide
from orchestrator.figures.workloads.axis import Axis
from orchestrator.insight import Reading
from orchestrator.measure.interval import Interval
from orchestrator.names import figure as figure_text
from orchestrator.result import Configuration, Ratio
from orchestrator.several import Several

SERIES = {"over the baseline": (BLUE, "circle"), "over the best at random": (ORANGE, "square")}


def gains_figure(several: Several, axis: Axis) -> go.Figure | None:
    """The gain of each workload's winner over the baseline and over the best at random; None where neither is known."""
    found = {name: _gains(several, name) for name in SERIES}
    readings = {name: {w: _reading(one) for w, one in gains.items()} for name, gains in found.items()}
    every = [one for of_it in readings.values() for one in of_it.values()]
    if not every:
        return None
    figure = framed("Gain of what is recommended for each workload", "", "times as good")
    for name, (color, symbol) in SERIES.items():
        shown = readings[name]
        figure.add_trace(
            go.Scatter(
                x=axis.places(list(shown)),
                y=[one.value for one in shown.values()],
                error_y=bars(list(shown.values()), color),
                mode=axis.mode,
                marker={"color": color, "symbol": symbol, "size": 11},
                line={"color": color, "width": 2, "dash": "solid" if symbol == "circle" else "dash"},
                name=name,
                offsetgroup=name,
                hovertext=[f"<b>{workload}</b>, {name}<br>{_text(one)}" for workload, one in found[name].items()],
                hoverinfo="text",
            )
        )
    figure.add_hline(y=1, line={"color": BLACK, "width": 1, "dash": "dot"}, name="no gain", showlegend=True)
    if is_wide([Reading(1.0, None), *every]):
        figure.update_yaxes(**LOGARITHMIC)
    return figure.update_xaxes(**axis.look).update_layout(scattermode=axis.scatter_mode)


def _gains(several: Several, name: str) -> dict[str, Ratio]:
    over: dict[str, Configuration | None] = {
        workload: several.baseline if name == "over the baseline" else one.best_of_random
        for workload, one in several.searched.items()
    }
    found = {workload: several.gain(workload, other) for workload, other in over.items()}
    return {workload: one for workload, one in found.items() if one is not None and math.isfinite(one.value)}


def _reading(gain: Ratio) -> Reading:
    return Reading(gain.value, Interval(gain.lo, gain.hi) if math.isfinite(gain.lo) else None)


def _text(gain: Ratio) -> str:
    return f"×{figure_text(gain.value)} ({figure_text(gain.lo)} … {figure_text(gain.hi)})"
