"""The map of the two knobs that mattered most."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import plotly.graph_objects as go

from orchestrator.figures.style import framed
from orchestrator.figures.words import Hover, axis_of, name_of
from orchestrator.insight import Cell, HeatMap, Insight, read
from orchestrator.names import figure as figure_text
from orchestrator.names import listing
from orchestrator.result import StudyResult

OVER = "#F4C7A5"
"""Vermillion, so light that black stands out on it: a place where no trial kept the SLO has no share in the scale."""


def heat_figure(insight: Insight, hover: Hover) -> go.Figure | None:
    """The best figure in each place, and from how many trials; white where nothing was measured. None without a map."""
    heat, study = insight.heat, insight.study
    if heat is None or not heat.cells:
        return None
    within = {place: cell for place, cell in heat.cells.items() if cell.best.score and cell.best.score.feasible}
    over = {place: cell for place, cell in heat.cells.items() if place not in within}
    metric = study.objective
    scale = {
        "colorscale": "Cividis",
        "reversescale": not study.maximize,
        "colorbar": {"title": {"text": axis_of(metric), "side": "right"}},
    }
    first, second = heat.x.column.name, heat.y.column.name if heat.y else ""
    knobs = listing([name for name in (first, second) if name])
    figure = framed(f"Best {name_of(metric)} measured, by {knobs}", first, second)
    figure.add_trace(_map(study, heat, within, hover, lambda cell: _text(study, cell), **scale))
    plain = {"colorscale": [[0, OVER], [1, OVER]], "showscale": False}
    figure.add_trace(_map(study, heat, over, hover, lambda cell: f"over the SLO<br>{_text(study, cell)}", **plain))
    # by their places and not by their labels, of which two may read the same
    figure.update_xaxes(tickvals=list(range(len(heat.x.labels))), ticktext=heat.x.labels, showgrid=False)
    rows = heat.y.labels if heat.y else ("",)
    return figure.update_yaxes(tickvals=list(range(len(rows))), ticktext=rows, showgrid=False)


def _map(
    study: StudyResult,
    heat: HeatMap,
    cells: Mapping[tuple[int, int], Cell],
    hover: Hover,
    text: Callable[[Cell], str],
    **look: object,
) -> go.Heatmap:
    """One layer; places without a cell are left open."""
    columns, rows = range(len(heat.x.labels)), range(len(heat.y.labels) if heat.y else 1)

    def laid(value: Callable[[Cell], object], gap: object) -> list[list[object]]:
        return [[value(cells[x, y]) if (x, y) in cells else gap for x in columns] for y in rows]

    return go.Heatmap(
        z=laid(lambda cell: read(study, cell.best, study.objective).value, None),
        text=laid(text, ""),
        texttemplate="%{text}",
        hovertext=laid(lambda cell: f"{hover(cell.best)}<br>the best of {cell.trials} here", ""),
        hoverinfo="text",
        hoverongaps=False,
        xgap=2,
        ygap=2,
        **look,
    )


def _text(study: StudyResult, cell: Cell) -> str:
    trials = "1 trial" if cell.trials == 1 else f"{cell.trials} trials"
    best = "<br><b>the best</b>" if study.best and cell.best.number == study.best.number else ""
    return f"{figure_text(read(study, cell.best, study.objective).value)}<br>{trials}{best}"
