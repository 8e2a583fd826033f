"""Throughput against p99: what more of the one costs of the other."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import plotly.graph_objects as go

from orchestrator.figures.style import (
    BLACK,
    LOGARITHMIC,
    Kind,
    bars,
    draw_limit,
    framed,
    is_wide,
    kind_of,
    sample,
    scatter,
)
from orchestrator.figures.words import Hover, axis_of, label_of, name_of, unit_of
from orchestrator.insight import Insight, Point
from orchestrator.result import BASELINE


def tradeoff_figure(insight: Insight, limits: Mapping[str, float], hover: Hover) -> go.Figure | None:
    """Every COMPLETE trial by its two figures, with intervals, the SLO and the Pareto front; None without any."""
    seen, best = insight.tradeoff, insight.study.best
    if not seen.points:
        return None
    named = {BASELINE, *(point.trial.number for point in seen.front), best.number if best else BASELINE}
    points = sample(seen.points, lambda point: point.trial.number in named)
    x, y = seen.x.metric, seen.y.metric
    figure = framed(f"Trade-off: {name_of(y)} against {name_of(x)}", axis_of(x), axis_of(y))
    figure.add_trace(
        go.Scatter(
            x=[point.x.value for point in seen.front],
            y=[point.y.value for point in seen.front],
            mode="lines",
            line={"color": BLACK, "width": 2, "shape": "vh" if seen.x.maximize else "hv"},
            name="Pareto front",
        )
    )
    for kind in Kind:
        _add_trials(figure, kind, [point for point in points if kind_of(point.trial) is kind], hover)
    logarithmic = is_wide([point.x for point in points])
    if logarithmic:
        figure.update_xaxes(**LOGARITHMIC)
    for point in points:
        if point.trial.number in named:
            words = label_of(point.trial) + (" (best)" if best and point.trial.number == best.number else "")
            x_place = math.log10(point.x.value) if logarithmic else point.x.value  # plotly wants its exponent here
            figure.add_annotation(x=x_place, y=point.y.value, text=words, ax=28, ay=-28, arrowwidth=1, arrowhead=2)
    draw_limit(figure, limits.get(x), unit_of(x), across=False)
    draw_limit(figure, limits.get(y), unit_of(y), across=True)
    return figure


def _add_trials(figure: go.Figure, kind: Kind, points: Sequence[Point], hover: Hover) -> None:
    x, y = [point.x for point in points], [point.y for point in points]
    figure.add_trace(
        scatter(
            kind,
            [one.value for one in x],
            [one.value for one in y],
            [hover(point.trial) for point in points],
            error_x=bars(x, kind.color),
            error_y=bars(y, kind.color),
        )
    )
