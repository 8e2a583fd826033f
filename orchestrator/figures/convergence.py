"""The best trial so far, trial by trial."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import plotly.graph_objects as go

from orchestrator.figures.style import BLACK, GREY, Kind, bars, draw_limit, framed, kind_of, sample, scatter
from orchestrator.figures.words import Hover, axis_of, name_of, unit_of
from orchestrator.insight import Insight, Phase, Step, read

STRIP = 0.08
"""Share of the height for trials without a figure, where there are such."""

FIRST = {"surrogate": "spread over the space"}
"""What algorithms do before they trust their model, other than drawing at random."""

MOST_NUMBERED = 30
"""Trials that each have their number on the axis."""


def convergence_figure(insight: Insight, limits: Mapping[str, float], hover: Hover) -> go.Figure:
    """Every trial by its number: its figure with its interval, the best so far, and below those that have none."""
    study, metric = insight.study, insight.study.objective
    improvements = {step.best: step.trial.number for step in reversed(insight.steps)}
    steps = sample(insight.steps, lambda step: improvements.get(step.best) == step.trial.number)
    figure = framed(f"Convergence: {name_of(metric)} by trial", "trial (0 is the baseline)", axis_of(metric))
    if len(steps) <= MOST_NUMBERED:
        figure.update_xaxes(dtick=1)
    _mark_phases(figure, insight)
    figure.add_trace(
        go.Scatter(
            x=[step.trial.number for step in steps],
            y=[step.best for step in steps],
            mode="lines",
            line={"color": BLACK, "width": 2, "shape": "hv"},
            name="best within the SLO so far",
        )
    )
    for kind in Kind:
        measured = [step for step in steps if kind_of(step.trial) is kind and step.trial.score]
        readings = [read(study, step.trial, metric) for step in measured]
        values = [one.value for one in readings]
        figure.add_trace(_trials(kind, measured, values, hover, error_y=bars(readings, kind.color)))
    draw_limit(figure, limits.get(metric), unit_of(metric), across=True)
    _add_strip(figure, [step for step in steps if step.trial.score is None], hover)
    return figure


def _trials(kind: Kind, steps: Sequence[Step], y: Sequence[float], hover: Hover, **more: object) -> go.Scatter:
    return scatter(kind, [step.trial.number for step in steps], y, [hover(step.trial) for step in steps], **more)


def _mark_phases(figure: go.Figure, insight: Insight) -> None:
    """Behind the trials, from the first to the last of a phase, its name."""
    first = FIRST.get(insight.study.algorithm, "drawn at random")
    for phase, words in ((Phase.RANDOM, first), (Phase.MODEL, f"proposed by {insight.study.algorithm}")):
        numbers = [step.trial.number for step in insight.steps if step.phase is phase]
        if numbers:
            figure.add_vrect(
                x0=min(numbers) - 0.5,
                x1=max(numbers) + 0.5,
                fillcolor=GREY,
                opacity=0.12 if phase is Phase.RANDOM else 0.0,
                line_width=0,
                layer="below",
                annotation_text=words,
                annotation_position="top left" if phase is Phase.RANDOM else "top right",
            )


def _add_strip(figure: go.Figure, steps: Sequence[Step], hover: Hover) -> None:
    """A band below the figure in which trials without a figure stand."""
    if not steps:
        return
    for kind in Kind:
        alike = [step for step in steps if kind_of(step.trial) is kind]
        if alike:
            figure.add_trace(_trials(kind, alike, [0.0] * len(alike), hover, yaxis="y2"))
    figure.update_layout(
        yaxis_domain=[STRIP * 1.5, 1],
        yaxis2={
            "domain": [0, STRIP],
            "showticklabels": False,
            "title": "no figure",
            "showgrid": False,
            "zeroline": False,
        },
        xaxis_anchor="y2",
    )
