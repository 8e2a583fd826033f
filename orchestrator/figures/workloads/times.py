"""How long requests took, all of them in order, under each workload."""

from __future__ import annotations

import math

import plotly.graph_objects as go

from orchestrator.figures.style import LOGARITHMIC, framed, is_wide
from orchestrator.figures.workloads.looks import line
from orchestrator.insight import Reading
from orchestrator.names import figure as figure_text
from orchestrator.result import TrialResult
from orchestrator.several import Several


def shown_times(several: Several) -> dict[str, TrialResult]:
    """By workload the trial that is shown: of what is recommended for all, else of the workload's own winner."""
    robust = several.robust
    found = {
        workload: several.measured(workload, robust.configuration if robust else several.winner(workload))
        for workload in several.compared
    }
    return {workload: trial for workload, trial in found.items() if trial is not None and trial.sorted_ms}


def times_figure(several: Several) -> go.Figure | None:
    """A line a workload: response time by the share of requests that took no longer; None where no times are kept."""
    shown = shown_times(several)
    if not shown:
        return None
    of_what = "what is recommended for all" if several.robust else "each workload's winner"
    figure = framed(f"Response times in order, of {of_what}", "share of the requests", "response time, ms")
    for index, (workload, trial) in enumerate(shown.items()):
        shares = [place / (len(trial.sorted_ms) - 1) for place in range(len(trial.sorted_ms))]
        figure.add_trace(
            go.Scatter(
                x=shares,
                y=trial.sorted_ms,
                mode="lines",
                line=line(index),
                name=workload,
                showlegend=True,
                hovertext=[
                    f"<b>{workload}</b><br>{share:.1%} of the requests within {figure_text(ms, ' ms')}"
                    for share, ms in zip(shares, trial.sorted_ms, strict=True)
                ],
                hoverinfo="text",
            )
        )
    figure.update_xaxes(tickformat=".0%", range=[0, 1.005])
    every = [Reading(ms, None) for trial in shown.values() for ms in trial.sorted_ms if math.isfinite(ms)]
    return figure.update_yaxes(**LOGARITHMIC) if is_wide(every) else figure.update_yaxes(rangemode="tozero")
