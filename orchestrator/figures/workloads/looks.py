"""How phases of a search, and series of workloads, are told apart."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from orchestrator.figures.convergence import FIRST
from orchestrator.figures.style import BLACK, BLUE, GREEN, ORANGE, PURPLE, SKY, VERMILLION
from orchestrator.insight import Phase, Step, convergence
from orchestrator.result import Status
from orchestrator.several import Searched

MARKS = {Phase.BASELINE: (BLACK, "diamond"), Phase.RANDOM: (ORANGE, "square"), Phase.MODEL: (BLUE, "circle")}
"""Colour and symbol of a trial by its phase; the symbol is open where the trial is over the SLO."""

COLORS = (BLUE, ORANGE, GREEN, VERMILLION, SKY, PURPLE, BLACK)
DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
"""Of lines, one after the other; 7 and 6 have no common factor, so that 42 lines differ."""


def words(phase: Phase, algorithms: Iterable[str]) -> str:
    """For the legend; `algorithms` are those of the studies that are shown."""
    names = list(dict.fromkeys(algorithms))
    return {
        Phase.BASELINE: "the baseline",
        Phase.RANDOM: ", ".join(dict.fromkeys(FIRST.get(name, "drawn at random") for name in names)),
        Phase.MODEL: f"proposed by {', '.join(names)}",
    }[phase]


def line(index: int) -> dict[str, Any]:
    """Of a series, as plotly takes it."""
    return {"color": COLORS[index % len(COLORS)], "dash": DASHES[index % len(DASHES)], "width": 2}


def value_of(step: Step) -> float:
    """The objective's figure of a step's trial, which is COMPLETE."""
    return step.trial.score.value if step.trial.score else math.nan


def measured_steps(one: Searched) -> list[Step]:
    """The COMPLETE trials of a study with their phases, in order of their numbers."""
    return [step for step in convergence(one.study, one.random_trials) if step.trial.status is Status.COMPLETE]
