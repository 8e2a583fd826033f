"""`--quick`: few trials and short windows; of a job also a small part of the space."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from orchestrator.knob import Choice, Listed
from orchestrator.plain import is_number
from orchestrator.space import Branch, Condition, Knob, Space

if TYPE_CHECKING:
    from orchestrator.experiment.plan import Experiment

SERVING_TRIALS = 4
SERVING_WARMUP_S, SERVING_WINDOW_S = (0.5, 1.5), (1.0, 2.0)
"""Shortest and longest. A file whose shortest window is longer is about a slow application: then they are half of that
window, and all of it. Trials are half as many there, and where two workloads are looked at."""

TRIALS = 12
"""Of a job, after the baseline: each starts a process, imports and builds, which takes longer than to measure it."""

Few = Callable[[Sequence[Any]], tuple[Any, ...]]
"""Chooses some of the values of a knob."""

WARMUP_S, WINDOW_S = (0.2, 2.0), (0.5, 4.0)
"""The same of a job, where the file's are not shorter still; slow steps need the longest, and others never do."""


def quick_serving(experiment: Experiment) -> dict[str, Any]:
    """The fields of an experiment that are others for a first look, with their values; of workloads, both ends."""
    measure, confirm, workloads = experiment.measure, experiment.confirm, experiment.workloads
    short = {
        "warmup_s": min(measure.warmup_s, SERVING_WARMUP_S[0]),
        "warmup_max_s": min(measure.warmup_max_s, SERVING_WARMUP_S[1]),
        "min_s": min(measure.min_s, max(SERVING_WINDOW_S[0], measure.min_s / 2)),
        "max_s": min(measure.max_s, max(SERVING_WINDOW_S[1], measure.min_s)),
    }
    ends, alone = {0, len(workloads) - 1}, experiment.variant is None and not workloads
    trials = SERVING_TRIALS if alone and short["max_s"] <= SERVING_WINDOW_S[1] else SERVING_TRIALS // 2
    again = {"top": min(confirm.top, 1 if alone else 0), "replications": 3, "max_replications": 3}
    fields = {
        "search": experiment.search.model_copy(update={"trials": min(experiment.search.trials, trials)}),
        "measure": measure.model_copy(update={**short, "requests": None}),
        "confirm": confirm.model_copy(update=again),
        "workloads": tuple(one.quick() for place, one in enumerate(workloads) if place in ends),
    }
    return {**fields, **quick_grid(experiment)}


def quick_job(experiment: Experiment) -> dict[str, Any]:
    """The same of an offline one."""
    measure, search = experiment.measure, experiment.search
    short = {
        "warmup_s": min(measure.warmup_s, WARMUP_S[0]),
        "warmup_max_s": min(measure.warmup_max_s, WARMUP_S[1]),
        "min_s": min(measure.min_s, WINDOW_S[0]),
        "max_s": min(measure.max_s, WINDOW_S[1] * (4 if experiment.across else 1)),  # all have to be measured
    }
    fields = {
        "space": trimmed(experiment.space),
        "measure": measure.model_copy(update=short),
        "search": search.model_copy(update={"trials": min(search.trials, TRIALS)}),
        "confirm": experiment.confirm.model_copy(update={"top": 0}),
    }
    return {**fields, **quick_grid(experiment)}


def quick_grid(experiment: Experiment) -> dict[str, Any]:
    """Those of one that looks for one configuration for all values of a knob: a smaller grid, but the whole of it."""
    if experiment.across is None:
        return {}
    space = trimmed(experiment.space, _ends)
    points = space.size() or TRIALS
    trials = min(experiment.search.trials, points - space.contains(experiment.baseline()))
    return {
        "space": space,
        "search": experiment.search.model_copy(update={"trials": trials}),
        "confirm": experiment.confirm.model_copy(update={"top": 0}),
    }


def _ends(values: Sequence[Any]) -> tuple[Any, ...]:
    """Of numbers the first and that in the middle, for large ones take longest; else both ends."""
    last = len(values) // 2 if all(map(is_number, values)) else len(values) - 1
    return tuple(values[place] for place in dict.fromkeys((0, last)))


def _low(values: Sequence[Any]) -> tuple[Any, ...]:
    """Of numbers the first, and those at a quarter and at half of the list: large ones take longest. Else both ends."""
    last = len(values) - 1
    places = (0, (last + 2) // 4, (last + 1) // 2) if all(map(is_number, values)) else (0, last)
    return tuple(values[place] for place in dict.fromkeys(places))


def trimmed(space: Space, few: Few = _low) -> Space:
    """The space with a few values of each knob that has a list of them, and as many of its branches."""
    return Space(knobs={path: _trimmed(knob, few) for path, knob in space.knobs.items()})


def _trimmed(knob: Knob, few: Few) -> Knob:
    if isinstance(knob, Condition):
        kept = few(knob.listed())
        inner = [branch for branch in knob.branches if branch.value in kept]
        return Condition(branches=tuple(Branch(value=one.value, space=trimmed(one.space, few)) for one in inner))
    return Choice(values=few(knob.listed())) if isinstance(knob, Listed) else knob
