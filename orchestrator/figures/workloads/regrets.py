"""By how much each contender is worse than the best one under each workload."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from html import escape
from textwrap import wrap

import plotly.graph_objects as go

from orchestrator.figures.heat import OVER
from orchestrator.figures.style import framed
from orchestrator.names import describe, label, short_names
from orchestrator.result import BASELINE
from orchestrator.robust import Standing
from orchestrator.several import Several

ROW, LINE, FRAME = 26, 18, 170
"""Pixels of a row, and more for each line of its label, and of what is around them."""

LABEL = 48
"""Characters of a label's line: a configuration of many knobs would leave no room for the map."""

DARKEST = 1.0
"""Regret from which on no place gets darker: one hopeless contender must not make all others look alike."""


def regrets_figure(several: Several) -> go.Figure | None:
    """A row a contender, the best compromise first; a column a workload, and the mean. None where there is no order."""
    found = several.standings
    if not found:
        return None
    names = short_names(path for configuration in several.contenders for path in configuration)
    rows = [_label(several, one, names) for one in found]
    table = [{**one.regrets, "<b>mean</b>": one.mean_regret} for one in found]
    gaps = [
        {w: several.missing(w, one.configuration) for w in one.regrets if math.isinf(one.regrets[w])} for one in found
    ]
    columns = [*several.compared, "<b>mean</b>"]
    return map_of_regrets("Regret of each configuration under each workload", rows, columns, table, gaps)


def map_of_regrets(
    title: str,
    rows: list[str],
    columns: list[str],
    table: Sequence[Mapping[str, float]],
    gaps: Sequence[Mapping[str, str]],
) -> go.Figure:
    """A place for each row and column: the regret in `table`, or where that is infinite the words in `gaps`."""
    most = max((value for row in table for value in row.values() if math.isfinite(value)), default=0.0)
    height = ROW + LINE * max(row.count("<br>") + 1 for row in rows)
    figure = framed(title, "", "", height=FRAME + height * len(rows))
    scale = {"colorscale": "Cividis", "reversescale": True, "zmin": 0, "zmax": min(most, DARKEST) or 1}
    figure.add_trace(_map(rows, columns, table).update(**scale, colorbar_tickformat=".0%"))
    plain = {"colorscale": [[0, OVER], [1, OVER]], "showscale": False}
    figure.add_trace(_map(rows, columns, gaps).update(**plain))
    figure.update_layout(title={"xref": "container", "x": 0.02})  # labels are long, and it would reach the tool bar
    figure.update_xaxes(type="category", side="bottom", showgrid=False)
    return figure.update_yaxes(type="category", autorange="reversed", showgrid=False)


def _map(rows: list[str], columns: list[str], table: Sequence[Mapping[str, float | str]]) -> go.Heatmap:
    """Of the shares and words of `table`, a mapping of columns a row; where it has none the place is free."""

    def laid(value: Callable[[float | str], object], gap: object) -> list[list[object]]:
        return [[value(row[column]) if _is_shown(row.get(column)) else gap for column in columns] for row in table]

    return go.Heatmap(
        x=columns,
        y=rows,
        z=laid(lambda value: value if isinstance(value, float) else 0.0, None),
        text=laid(lambda value: f"{value:.1%}" if isinstance(value, float) else value, ""),
        texttemplate="%{text}",
        hovertemplate="%{y}<br>%{x}: %{text}<extra></extra>",
        hoverongaps=False,
        xgap=2,
        ygap=2,
    )


def _is_shown(value: float | str | None) -> bool:
    return math.isfinite(value) if isinstance(value, float) else value is not None


def _label(several: Several, one: Standing[int], names: Mapping[str, str]) -> str:
    number, robust = one.configuration, several.robust
    name = label(number) if number == BASELINE else f"[{number}]"
    recommended = robust is not None and robust.configuration == number
    text = f"{'recommended: ' if recommended else ''}{name}  {describe(several.contenders[number], names)}"
    lines = "<br>".join(escape(line) for line in wrap(text, LABEL, break_long_words=False, break_on_hyphens=False))
    return f"<b>{lines}</b>" if recommended else lines
