"""The key `across`: a knob of the space, for all of whose values one configuration is to be found."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from orchestrator.knob import Listed
from orchestrator.space import Condition, Space
from orchestrator.validation import nearest, show

if TYPE_CHECKING:
    from orchestrator.experiment.plan import Experiment

_EXAMPLE = "{choice: [...]}"


def across_problems(knob: Any, space: Space | None) -> Iterator[str]:
    """Why a configuration cannot be chosen for all values of what stands there (None: the space cannot be read)."""
    if not isinstance(knob, str):
        yield f"expected the path of a knob in space, found {show(knob)}"
        return
    if space is None or not space.knobs:
        return
    if knob not in space.knobs:
        near = nearest(knob, list(space.knobs))
        hint = f"did you mean {near}?" if near else f"there are {', '.join(space.knobs)}"
        inside = " but inside of a condition" if knob in space.paths() else ""
        yield f"{show(knob)} is no knob of space{inside}; {hint}"
        return
    found = space.knobs[knob]
    if isinstance(found, Condition):
        yield f"{knob} is a condition: under another value there are other knobs, and so no configuration for all"
    elif not isinstance(found, Listed) or len(found.listed()) < 2:
        yield f"{knob} is {found.kind} {found.range_text()}, but takes a list of at least two values: {_EXAMPLE}"
    if len(space.knobs) == 1:
        yield f"{knob} is the only knob in space, so there is nothing to choose for all of its values"


def replications(experiment: Experiment, in_doubt: bool = False) -> int:
    """How many there are to be: of the best compromises under every value, or where there is no `across` of the best.

    `in_doubt`: with those of trials that are not shown to keep the SLO by then.
    """
    plan, trials = experiment.confirm, experiment.search.trials
    if experiment.across is None:
        return plan.count_most(trials) if in_doubt else plan.count(trials)
    values = experiment.space.knobs[experiment.across].size or 1
    return min(plan.top, -(-(trials + 1) // values)) * values * plan.replications
