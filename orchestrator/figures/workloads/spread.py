"""What the search tried, as box plots: what was drawn at random against what the algorithm proposed."""

from __future__ import annotations

import plotly.graph_objects as go

from orchestrator.figures.style import BLACK, LOGARITHMIC, MOST_DRAWN, is_wide
from orchestrator.figures.words import axis_of, hovering
from orchestrator.figures.workloads.looks import MARKS, measured_steps, value_of, words
from orchestrator.figures.workloads.panels import panels, place
from orchestrator.insight import Phase, Reading, Step
from orchestrator.names import short_names
from orchestrator.several import Searched, Several

COLUMNS = 4
"""Panels in a row: a pair of boxes is narrow."""

PHASES = {Phase.RANDOM: "before", Phase.MODEL: "with a model"}


def spread_figure(several: Several) -> go.Figure | None:
    """A panel a workload, a box a phase, with each COMPLETE trial as a point; None without any."""
    shown = {workload: measured_steps(one) for workload, one in several.searched.items()}
    shown = {w: steps for w, steps in shown.items() if any(step.phase in PHASES for step in steps)}
    if not shown:
        return None
    searched = [several.searched[workload] for workload in shown]
    objective = axis_of(searched[0].study.objective)
    figure = panels("What was tried, at random and by the algorithm", list(shown), "", objective, COLUMNS)
    algorithms = [one.study.algorithm for one in searched]
    told: set[Phase] = set()
    for index, (workload, steps) in enumerate(shown.items()):
        where = place(index, list(shown), COLUMNS)
        for phase in PHASES:
            box = _box(several.searched[workload], phase, [step for step in steps if step.phase is phase])
            if box.y:
                figure.add_trace(box.update(name=words(phase, algorithms), showlegend=phase not in told), **where)
                told.add(phase)
        if line := _baseline(steps):
            figure.add_trace(line.update(showlegend=index == 0), **where)
        if is_wide([Reading(value_of(step), None) for step in steps]):
            figure.update_yaxes(**LOGARITHMIC, **where)
    order = {"categoryorder": "array", "categoryarray": list(PHASES.values()), "range": [-0.6, len(PHASES) - 0.4]}
    return figure.update_xaxes(showticklabels=False, type="category", **order)


def _baseline(steps: list[Step]) -> go.Scatter | None:
    value = next((value_of(step) for step in steps if step.phase is Phase.BASELINE), None)
    if value is None:
        return None
    line = {"color": BLACK, "width": 1.5, "dash": "dot"}
    name = words(Phase.BASELINE, ())
    places = list(PHASES.values())
    return go.Scatter(x=places, y=[value] * len(places), mode="lines", line=line, name=name, legendgroup=name)


def _box(one: Searched, phase: Phase, steps: list[Step]) -> go.Box:
    study, (color, symbol) = one.study, MARKS[phase]
    hover = hovering(study, short_names(p for trial in study.trials for p in trial.configuration), (study.objective,))
    return go.Box(
        x=[PHASES[phase]] * len(steps),
        y=[value_of(step) for step in steps],
        boxpoints="all" if len(steps) <= MOST_DRAWN else "outliers",
        pointpos=0,
        jitter=0.5,
        marker={"color": color, "symbol": symbol, "size": 5},
        line={"color": color, "width": 2},
        fillcolor="rgba(255,255,255,0)",
        legendgroup=phase.value,
        legendrank=list(MARKS).index(phase),
        hovertext=[hover(step.trial) for step in steps],
        hoveron="points",
        hoverinfo="text",
    )
