"""How the search went under each workload."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import plotly.graph_objects as go

from orchestrator.figures.style import BLACK, GREEN, LOGARITHMIC, is_wide, sample
from orchestrator.figures.words import axis_of, hovering
from orchestrator.figures.workloads.looks import MARKS, measured_steps, value_of, words
from orchestrator.figures.workloads.panels import panels, place
from orchestrator.insight import Reading, Step
from orchestrator.names import short_names
from orchestrator.several import Searched, Several


def process_figure(several: Several) -> go.Figure | None:
    """A panel a workload: each COMPLETE trial by its number, marked by its phase, and the best so far; None without."""
    shown = {workload: measured_steps(one) for workload, one in several.searched.items()}
    if not any(shown.values()):
        return None
    studies = {workload: one.study for workload, one in several.searched.items()}
    objective = axis_of(next(iter(studies.values())).objective)
    figure = panels("The search under each workload", list(shown), "trial (0 is the baseline)", objective)
    algorithms = [study.algorithm for study in studies.values()]
    told: set[str] = set()
    for index, (workload, steps) in enumerate(shown.items()):
        where = place(index, list(shown))
        if steps and is_wide([Reading(value_of(step), None) for step in steps]):
            figure.update_yaxes(**LOGARITHMIC, **where)
        for trace in _traces(several.searched[workload], steps, algorithms):
            figure.add_trace(trace.update(showlegend=trace.name not in told), **where)
            told.add(trace.name)
    return figure.update_xaxes(tickformat="d")


def _traces(one: Searched, steps: Sequence[Step], algorithms: Sequence[str]) -> list[go.Scatter]:
    study, best = one.study, one.study.best
    hover = hovering(study, short_names(p for trial in study.trials for p in trial.configuration), (study.objective,))
    traces = [_best_so_far(steps)]
    for within in (True, False):
        for phase, (color, symbol) in MARKS.items():
            alike = [step for step in steps if step.phase is phase and _keeps_slo(step) == within]
            alike = sample(alike, lambda step: step.trial is best)
            mark = {"color": color, "symbol": symbol if within else f"{symbol}-open", "size": 9}
            name = words(phase, algorithms) if within else "open: over the SLO"
            traces.append(_marks(alike, name, mark, [hover(step.trial) for step in alike]))
    winner = [step for step in steps if step.trial is best]
    ring = {"color": GREEN, "symbol": "circle-open", "size": 17, "line": {"width": 3}}
    traces.append(_marks(winner, "the winner", ring, [hover(step.trial) for step in winner]))
    return [trace.update(legendrank=rank) for rank, trace in enumerate(traces) if trace.x]


def _best_so_far(steps: Sequence[Step]) -> go.Scatter:
    known = [step for step in steps if not math.isnan(step.best)]
    return go.Scatter(
        x=[step.trial.number for step in known],
        y=[step.best for step in known],
        mode="lines",
        line={"color": BLACK, "width": 1.5, "shape": "hv"},
        name="best within the SLO so far",
        legendgroup="best so far",
        hoverinfo="skip",
    )


def _marks(steps: Sequence[Step], name: str, mark: Mapping[str, object], hovers: Sequence[str]) -> go.Scatter:
    return go.Scatter(
        x=[step.trial.number for step in steps],
        y=[value_of(step) for step in steps],
        mode="markers",
        marker=mark,
        name=name,
        legendgroup=name,
        hovertext=hovers,
        hoverinfo="text",
    )


def _keeps_slo(step: Step) -> bool:
    return step.trial.score is not None and step.trial.score.feasible
