"""What the baseline and the recommended configurations reach from workload to workload."""

from __future__ import annotations

import math
from collections.abc import Callable

import plotly.graph_objects as go

from orchestrator.figures.style import BLACK, BLUE, GREEN, LOGARITHMIC, bars, is_wide
from orchestrator.figures.words import axis_of
from orchestrator.figures.workloads.axis import Axis
from orchestrator.figures.workloads.panels import panels, place
from orchestrator.insight import Reading, read
from orchestrator.names import figure as figure_text
from orchestrator.result import BASELINE
from orchestrator.several import Several

Who = Callable[[str], int | None]
"""Number of a contender, by workload."""


def by_load_figure(several: Several, axis: Axis) -> go.Figure | None:
    """Mean response time, throughput and the objective of three contenders by workload; None without a comparison."""
    if not several.compared:
        return None
    objective = next(iter(several.compared.values())).objective
    metrics = tuple(dict.fromkeys(("latency_mean_ms", "throughput_rps", objective)))
    titles = [axis_of(metric) for metric in metrics]
    figure = panels("Latency and throughput by workload", titles, "", "", columns=len(titles))
    for index, metric in enumerate(metrics):
        readings = _add_panel(figure, several, axis, metric, place(index, titles, len(titles)))
        if readings and is_wide(readings):
            figure.update_yaxes(**LOGARITHMIC, **place(index, titles, len(titles)))
        else:
            figure.update_yaxes(rangemode="tozero", **place(index, titles, len(titles)))
    return figure.update_xaxes(**axis.look).update_layout(scattermode=axis.scatter_mode)


def _add_panel(figure: go.Figure, several: Several, axis: Axis, metric: str, where: dict[str, int]) -> list[Reading]:
    robust = several.robust
    series: dict[str, tuple[Who, str, str, str]] = {
        "the baseline": (lambda _: BASELINE, BLACK, "diamond", "dot"),
        "recommended for the workload": (several.winner, BLUE, "circle-open", "dash"),
    }
    if robust is not None:
        series["recommended for all workloads"] = (lambda _: robust.configuration, GREEN, "square", "solid")
    every: list[Reading] = []
    for name, (who, color, symbol, dash) in series.items():
        found = _readings(several, who, metric)
        every += found.values()
        figure.add_trace(
            go.Scatter(
                x=axis.places(list(found)),
                y=[one.value for one in found.values()],
                error_y=bars(list(found.values()), color),
                mode=axis.mode,
                marker={"color": color, "symbol": symbol, "size": 10, "line": {"width": 2, "color": color}},
                line={"color": color, "dash": dash, "width": 2},
                name=name,
                legendgroup=name,
                offsetgroup=name,
                showlegend=where["col"] == 1,
                hovertext=[
                    f"<b>{workload}</b>, {name}<br>{axis_of(metric)}: {figure_text(one.value)}"
                    for workload, one in found.items()
                ],
                hoverinfo="text",
            ),
            **where,
        )
    return every


def _readings(several: Several, who: Who, metric: str) -> dict[str, Reading]:
    """By workload, of those under which the contender was measured."""
    trials = {workload: several.measured(workload, who(workload)) for workload in several.compared}
    found = {w: read(several.compared[w], trial, metric) for w, trial in trials.items() if trial is not None}
    return {workload: one for workload, one in found.items() if math.isfinite(one.value)}
