"""What an experiment is under one configuration: most knobs are options of the application, two are the requests'."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from orchestrator.knob import Listed
from orchestrator.plain import is_number
from orchestrator.result import Configuration
from orchestrator.serve_config import merge, path_problem, read
from orchestrator.space import Condition, Space
from orchestrator.validation import show
from orchestrator.workload.plan import DEFAULT_ENCODING, ENCODINGS

if TYPE_CHECKING:
    from orchestrator.experiment.plan import Experiment

ITEMS, ENCODING = "load.items_per_request", "workload.encoding"
OF_REQUESTS = (ITEMS, ENCODING)
"""The knobs that the clients turn: how many items they put into one request, and how they write them down."""


def configured(experiment: Experiment, configuration: Configuration) -> Experiment:
    """The experiment with the configuration's values in its `app`, its `load` and its `workload`."""
    load, workload = experiment.load, experiment.workload
    items = int(configuration.get(ITEMS, load.items_per_request))
    encoding = configuration.get(ENCODING, workload.encoding)
    return experiment.model_copy(
        update={
            "app": merge(experiment.app, of_the_app(configuration)),
            "load": load.model_copy(update={"items_per_request": items}),
            "workload": workload.model_copy(update={"encoding": encoding}),
        }
    )


def lightest(experiment: Experiment) -> Configuration:
    """What the requests cost the least under, of all that the space has: no configuration is answered faster."""
    knobs, smallest = experiment.space.knobs, {}
    if ITEMS in knobs:
        knob = knobs[ITEMS]
        smallest[ITEMS] = min(knob.listed()) if isinstance(knob, Listed) else knob.decode(0.0)
    if ENCODING in knobs and knobs[ENCODING].contains(DEFAULT_ENCODING):
        smallest[ENCODING] = DEFAULT_ENCODING
    return smallest


def baseline(app: Mapping[str, Any], space: Space, of_requests: Configuration) -> dict[str, Any]:
    """{path: value in the file} of the active knobs; KeyError(path) where neither the file nor Serve has a value.

    `of_requests` has the file's values of OF_REQUESTS. A condition whose value is none of its branches activates no
    further knobs.
    """
    values: dict[str, Any] = {}
    for path, knob in space.knobs.items():
        values[path] = of_requests[path] if path in OF_REQUESTS else read(app, path)
        if isinstance(knob, Condition) and knob.contains(values[path]):
            values.update(baseline(app, knob.branches[knob.index(values[path])].space, of_requests))
    return values


def of_the_app(configuration: Configuration) -> Configuration:
    """What of a configuration stands in the application's config."""
    return {path: value for path, value in configuration.items() if path not in OF_REQUESTS}


def knob_problem(app: Mapping[str, Any], path: str) -> str | None:
    """Why a path cannot be a knob, or None if it can."""
    if path in OF_REQUESTS:
        return None
    problem = path_problem(app, path)
    if problem and path.partition(".")[0] in ("load", "workload"):
        return f"{problem}; beside the app, {' and '.join(OF_REQUESTS)} can be tuned"
    return problem


def value_problem(path: str, value: Any) -> str | None:
    """Why a knob of OF_REQUESTS cannot have a value, or None if it can."""
    if path == ENCODING:
        return None if value in ENCODINGS else f"expected {' or '.join(ENCODINGS)}, found {show(value)}"
    whole = is_number(value) and float(value).is_integer() and value >= 1
    return None if whole else f"expected a whole number of items, at least 1; found {show(value)}"
