"""What all figures share: colours, marks, fonts, and how trials are told apart."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import Enum
from typing import Any, TypeVar

import plotly.graph_objects as go

from orchestrator.insight import Reading
from orchestrator.result import Status, TrialResult

BLACK, ORANGE, SKY, GREEN, YELLOW, BLUE, VERMILLION, PURPLE = (
    *("#000000", "#E69F00", "#56B4E9", "#009E73", "#F0E442", "#0072B2", "#D55E00", "#CC79A7"),
)
"""Colours that can be told apart with any colour vision: M. Okabe and K. Ito, Color Universal Design (2008)."""

GREY = "#6E6E6E"

MOST_DRAWN = 1000
"""Trials in a figure: a browser takes long over more, and nobody sees them."""

WIDE = 4
"""The largest figure over the smallest, intervals included, from which on an axis is logarithmic."""

LOGARITHMIC = {"type": "log", "dtick": "D2", "tickformat": "~r", "minor": {"dtick": "D1", "showgrid": True}}
"""Of an axis, as plotly takes it."""

AXIS = {"automargin": True, "gridcolor": "#E4E4E4", "zeroline": False, "showline": True, "linecolor": "#B0B0B0"}
"""Of every axis."""

HEIGHT = 560  # pixels; with its heading and its sentence a figure fits on a screen of 800


Item = TypeVar("Item")


class Kind(Enum):
    """How a trial came out: the words of the legend, the mark and its colour. No two share a mark."""

    WITHIN = ("within the SLO", "circle", BLUE)
    UNDECIDED = ("within the SLO, not shown", "circle-open", BLUE)
    OVER = ("over the SLO", "triangle-down", VERMILLION)
    INVALID = ("INVALID", "x-thin", PURPLE)
    INFEASIBLE = ("INFEASIBLE", "square-open", BLACK)
    FAILED = ("FAILED", "cross", BLACK)

    @property
    def words(self) -> str:
        """For the legend."""
        return self.value[0]

    @property
    def color(self) -> str:
        """Of the mark and of its error bars."""
        return self.value[2]

    def marker(self) -> dict[str, Any]:
        """As plotly takes it."""
        return {"symbol": self.value[1], "color": self.color, "size": 10, "line": {"width": 2, "color": self.color}}


def framed(title: str, x: str, y: str, height: int = HEIGHT) -> go.Figure:
    """An empty figure with its title, the titles of its axes, and the look of all."""
    return go.Figure(
        layout={
            "template": "none",  # the others bring kilobytes of looks for what is not drawn here
            "title": {"text": title, "x": 0, "xref": "paper", "y": 1, "yanchor": "top"},
            "title_pad_t": 14,
            "title_font_size": 18,
            "height": height,
            "font": {"family": "sans-serif", "size": 13, "color": "#222222"},
            "margin": {"l": 70, "r": 30, "t": 80, "b": 70},
            "legend": {"orientation": "h", "y": 1.0, "yanchor": "bottom", "x": 0, "xanchor": "left"},
            "hoverlabel": {"align": "left"},
            "xaxis": {"title": x, **AXIS},
            "yaxis": {"title": y, **AXIS},
        }
    )


def kind_of(trial: TrialResult) -> Kind:
    """The kind of a trial."""
    if trial.status is not Status.COMPLETE or trial.score is None:
        return Kind[trial.status.name]
    if not trial.score.feasible:
        return Kind.OVER
    return Kind.WITHIN if trial.score.shown else Kind.UNDECIDED


def scatter(kind: Kind, x: Sequence[float], y: Sequence[float], hovers: Sequence[str], **more: Any) -> go.Scatter:
    """Trials of one kind, with their hover texts."""
    return go.Scatter(
        x=x, y=y, mode="markers", marker=kind.marker(), name=kind.words, hovertext=hovers, hoverinfo="text", **more
    )


def bars(readings: Sequence[Reading], color: str) -> dict[str, Any]:
    """Intervals as plotly's error bars; a figure without an interval has none."""
    return {
        "type": "data",
        "symmetric": False,
        "array": [one.interval.hi - one.value if one.interval else 0.0 for one in readings],
        "arrayminus": [one.value - one.interval.lo if one.interval else 0.0 for one in readings],
        "color": color,
        "thickness": 1,
        "width": 3,
    }


def is_wide(readings: Sequence[Reading]) -> bool:
    """Whether figures, at least one, are too far apart for an even axis; never where one is not above 0."""
    low = min(one.interval.lo if one.interval else one.value for one in readings)
    high = max(one.interval.hi if one.interval else one.value for one in readings)
    return low > 0 and high > WIDE * low


def draw_limit(figure: go.Figure, limit: float | None, unit: str, across: bool) -> None:
    """The SLO's limit as a dashed line, `across` the figure or upright, and in the legend; nothing without a limit."""
    if limit is None:
        return
    line = {"dash": "dash", "color": VERMILLION, "width": 2}
    # named in the legend: an annotation of 100 ms stands at 10^100 on a logarithmic axis, a label is cut at the edge
    look = {"line": line, "name": f"SLO: {limit:g} {unit}", "showlegend": True}
    if across:
        figure.add_hline(y=limit, **look)
    else:
        figure.add_vline(x=limit, **look)


def sample(items: Sequence[Item], keep: Callable[[Item], bool]) -> list[Item]:
    """All items; of more than `MOST_DRAWN` those to keep, and of the others so many at even distances."""
    stride = -(-len(items) // MOST_DRAWN)
    return [item for index, item in enumerate(items) if index % stride == 0 or keep(item)]
