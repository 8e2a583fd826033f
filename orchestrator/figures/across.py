"""One configuration for all values of a knob: every configuration under each of them, as maps and as lines."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any

import plotly.graph_objects as go

from orchestrator.figures.captions import INTERVALS
from orchestrator.figures.page import Section
from orchestrator.figures.style import LOGARITHMIC, WIDE
from orchestrator.figures.words import axis_of, name_of
from orchestrator.figures.workloads.looks import line
from orchestrator.figures.workloads.panels import panels, place
from orchestrator.figures.workloads.regrets import map_of_regrets
from orchestrator.names import describe, short_names, value_text
from orchestrator.plain import is_number
from orchestrator.result import Across

MOST_ROWS = 25
"""Configurations in the map of regrets: the others are worse compromises."""


def across_sections(found: Across, objective: str) -> tuple[Section, ...]:
    """The regrets, the grid under each value, and cuts through it; with one other knob, or none, the cuts are fewer."""
    names = short_names([found.knob, *(path for one in found.configurations for path in one)])
    first, second = (*_varied(found), None, None)[:2]
    sections = [Section("across", regrets_figure(found, names), list(_on_regrets(found, names)))]
    if first and second:
        told = [f"The best {name_of(objective)} of each pair of values, a panel for each {names[found.knob]}."]
        sections.append(Section("across-grid", grid_figure(found, first, second, names, objective), told))
    for x, fixed in ((second, first), (first, second)):
        if x is not None:
            told = [f"One line for each {names[fixed]}. {INTERVALS}" if fixed else INTERVALS]
            sections.append(Section(f"across-{_dashed(names[x])}", cut_figure(found, x, fixed, names, objective), told))
    return tuple(sections)


def regrets_figure(found: Across, names: Mapping[str, str]) -> go.Figure | None:
    """A row a configuration, the best compromise first; a column a value, and the mean. None without an order."""
    shown = found.standings[:MOST_ROWS]
    if not shown:
        return None
    rows = [escape(describe(found.configurations[one.configuration], names)) for one in shown]
    if found.robust is not None:
        rows[0] = f"<b>recommended: {rows[0]}</b>"
    table = [{**one.regrets, "<b>mean</b>": one.mean_regret} for one in shown]
    gaps = [{v: "" for v, regret in one.regrets.items() if math.isinf(regret)} for one in shown]
    title = f"Regret of each configuration for each {names[found.knob]}"
    return map_of_regrets(title, rows, [*found.values, "<b>mean</b>"], table, gaps)


def grid_figure(found: Across, x: str, y: str, names: Mapping[str, str], objective: str) -> go.Figure:
    """A map of two knobs for each value, each on a scale of its own; white where nothing was measured."""
    columns, rows = _values(found, x), _values(found, y)
    title = f"{name_of(objective).capitalize()} by {names[x]} and {names[y]}"
    figure = panels(title, list(found.values), names[x], names[y])
    for index, value in enumerate(found.values):
        table = [[_best(found, value, {x: column, y: row}) for column in columns] for row in rows]
        figure.add_trace(
            go.Heatmap(
                x=list(map(value_text, columns)),
                y=list(map(value_text, rows)),
                z=table,
                texttemplate="%{z:.3~s}",
                colorscale="Cividis",
                reversescale=not found.maximize,
                showscale=False,
                hoverongaps=False,
                hovertemplate=f"{names[x]} = %{{x}}, {names[y]} = %{{y}}: %{{z:.4~s}}<extra>{escape(value)}</extra>",
                xgap=2,
                ygap=2,
            ),
            **place(index, found.values),
        )
    figure.update_xaxes(type="category", showgrid=False)
    return figure.update_yaxes(type="category", showgrid=False)


def cut_figure(found: Across, x: str, fixed: str | None, names: Mapping[str, str], objective: str) -> go.Figure:
    """The figure along `x`, a line for each value of the knob `fixed`, a panel for each value of `across`."""
    along, lines = _values(found, x), _values(found, fixed) if fixed else [None]
    title = f"{name_of(objective).capitalize()} by {names[x]}"
    figure = panels(title, list(found.values), names[x], axis_of(objective))
    for index, value in enumerate(found.values):
        for order, of_line in enumerate(lines):
            numbers = [_number(found, value, {x: at, **({fixed: of_line} if fixed else {})}) for at in along]
            figure.add_trace(
                go.Scatter(
                    x=along,
                    y=[None if number is None else found.figure(value, number) for number in numbers],
                    error_y={"type": "data", "array": [_half(found, value, number) for number in numbers]},
                    mode="lines+markers",
                    line=line(order),
                    name=f"{names[fixed]} = {value_text(of_line)}" if fixed else "",
                    legendgroup=str(order),
                    showlegend=index == 0 and fixed is not None,
                ),
                **place(index, found.values),
            )
    if _is_wide(along):
        return figure.update_xaxes(**{**LOGARITHMIC, "tickvals": along, "dtick": None, "minor": None})
    return figure.update_xaxes(tickvals=along)


def _dashed(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9]+", "-", name)


def _varied(found: Across) -> list[str]:
    """The other knobs that have more than one value, in their order."""
    paths = dict.fromkeys(path for one in found.configurations for path in one)
    return [path for path in paths if len(_values(found, path)) > 1]


def _values(found: Across, path: str) -> list[Any]:
    """What a knob was set to: numbers by their size, others in the order in which they were measured."""
    values = list(dict.fromkeys(one[path] for one in found.configurations if path in one))
    return sorted(values) if all(map(is_number, values)) else values


def _number(found: Across, value: str, knobs: Mapping[str, Any]) -> int | None:
    """The best configuration under a value of those with these knobs."""
    fits = [n for n, one in enumerate(found.configurations) if all(one.get(p) == knobs[p] for p in knobs)]
    known = {n: figure for n in fits if (figure := found.figure(value, n)) is not None}
    choose = max if found.maximize else min
    return choose(known, key=known.__getitem__) if known else None


def _best(found: Across, value: str, knobs: Mapping[str, Any]) -> float | None:
    number = _number(found, value, knobs)
    return None if number is None else found.figure(value, number)


def _half(found: Across, value: str, number: int | None) -> float:
    """Half of the interval; 0 where there is none."""
    cell = None if number is None else found.cell(value, number)
    half = cell.figure * cell.uncertainty if cell is not None and cell.figure is not None else 0.0
    return half if math.isfinite(half) else 0.0


def _is_wide(values: Sequence[Any]) -> bool:
    return all(map(is_number, values)) and min(values) > 0 and max(values) > WIDE * min(values)


def _on_regrets(found: Across, names: Mapping[str, str]) -> Iterator[str]:
    knob, robust = names[found.knob], found.robust
    yield f"By what share {knob} by {knob} the objective's figure is worse than that of the best configuration there."
    if robust is None:
        yield f"Nothing is recommended for all values of {knob}: {found.obstacle}."
        return
    yield (
        f"Recommended for all is {describe(found.configurations[robust.configuration], names)}: on average "
        f"{robust.mean_regret:.1%} worse than the best of each {knob}, {robust.worst_regret:.1%} at most."
    )
