"""What Ray Serve allows in an app, asked of Serve's own pydantic models.

The only module outside of `serving` that touches `ray.serve`, and of it only `ray.serve.schema`. That import
takes seconds, so it happens on first use.
"""

from __future__ import annotations

import functools
import json
import math
import warnings
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, create_model

from orchestrator.serve_config.app import plain
from orchestrator.serve_config.limits import Limits, taken_out
from orchestrator.validation import (
    Finding,
    Path,
    dotted,
    holds_any_keys,
    is_optional,
    item_model,
    model_within,
    show,
    unknown_keys,
    violations,
)

DEPLOYMENT_DEFAULTS: Mapping[str, Any] = {
    "num_replicas": 1,
    "max_ongoing_requests": 5,
    "max_queued_requests": -1,
    "graceful_shutdown_wait_loop_s": 2.0,
    "graceful_shutdown_timeout_s": 20.0,
    "health_check_period_s": 10.0,
    "health_check_timeout_s": 30.0,
    "rolling_update_percentage": 0.2,
    "max_surge_percent": 0,
    "ray_actor_options.num_cpus": 1.0,
}
"""What Serve uses where neither file nor code says anything; its schema does not tell (a test compares)."""

# With these in place Ray's models take the code that a config names for imported. Without, they import and
# pickle it: here instead of on the cluster, and at 70 ms a time.
_IMPORTED_POLICY = {"_serialized_policy_def": b"-"}
_IMPORTED_ROUTER = {"_serialized_request_router_cls": b"-"}


@functools.cache
def application_schema() -> type[BaseModel]:
    """Serve's model of an application."""
    from ray.serve.schema import ServeApplicationSchema

    return ServeApplicationSchema


@functools.cache
def deployment_schema() -> type[BaseModel]:
    """Serve's model of an entry in an application's `deployments`, and our `limits` in it."""
    model = item_model(application_schema().model_fields["deployments"].annotation)
    assert model is not None, "Serve's application schema has a list of deployments"
    return create_model("Deployment", __base__=model, limits=(Limits | None, None))


def default(keys: list[str], of_deployment: bool, given: int) -> Any:
    """Serve's default at these keys, the first `given` of which the app has; KeyError where there is none."""
    if of_deployment and ".".join(keys) in DEPLOYMENT_DEFAULTS:
        return DEPLOYMENT_DEFAULTS[".".join(keys)]
    model: type[BaseModel] | None = deployment_schema() if of_deployment else application_schema()
    for depth, key in enumerate(keys):
        if model is None or key not in model.model_fields:
            break
        field = model.model_fields[key]
        if depth == len(keys) - 1:
            value = field.get_default(call_default_factory=True)
            if isinstance(value, (bool, int, float, str, list, dict)):  # neither null nor Serve's "not given"
                return getattr(value, "value", value)
            break
        if depth >= given and is_optional(field.annotation):
            break  # the feature is off (autoscaling, for one), so that its options have no values
        model = model_within(field.annotation)
    raise KeyError(".".join(keys))


def app_problems(app: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What Serve would refuse and what it would silently ignore, as (YAML path from `app`, sentence)."""
    return [(dotted(("app", *path)), sentence) for path, sentence in app_findings(app)]


def app_findings(app: Mapping[str, Any]) -> list[Finding]:
    """The same with paths as tuples of keys and indices below the app."""
    from ray.serve.schema import ServeDeploySchema

    value = plain(app)
    limits = taken_out(value)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # deprecations are for those who write Serve code
        findings = [*unknown_keys(application_schema(), value), *_not_json(value)]
        findings += _deployments_findings(value)  # leaves out of `value` what it finds wrong
        # The multi-application form also knows what an application may not set itself (host, port).
        _, found = violations(ServeDeploySchema, {"applications": [{"name": "app", **value}]})
    findings += [(path[2:], sentence) for path, sentence in found]
    return findings + [
        (("deployments", index, "limits", *path), sentence)
        for index, raw in limits.items()
        for path, sentence in [*unknown_keys(Limits, raw), *violations(Limits, raw)[1]]
    ]


def _deployments_findings(value: dict[str, Any]) -> list[Finding]:
    """What Serve's schema does not look at: names given twice, and options of the type `dict | Model`."""
    findings: list[Finding] = []
    names: set[str] = set()
    listed = value.get("deployments")
    if not isinstance(listed, list):
        return findings
    for index, entry in enumerate(listed):
        path: Path = ("deployments", index)
        if not isinstance(entry, dict):
            findings.append((path, f"expected a mapping with name and options, found {show(entry)}"))
            listed[index] = {"name": ""}  # keeps the indices of the others
            continue
        if isinstance(name := entry.get("name"), str):
            if name in names:
                findings.append(((*path, "name"), f"the deployment '{name}' is listed twice"))
            names.add(name)
        for option, model in _loose_options():
            if isinstance(options := entry.get(option), dict):
                entry[option] = _as_imported(option, options)
                _, found = violations(model, entry[option])
                findings += [((*path, option, *inner), sentence) for inner, sentence in found]
                if found:
                    del entry[option]
    return findings


def _as_imported(option: str, options: dict[str, Any]) -> dict[str, Any]:
    if option == "request_router_config":
        return {**options, **_IMPORTED_ROUTER}
    if option == "autoscaling_config" and isinstance(policy := options.get("policy", {}), dict):
        return {**options, "policy": {**policy, **_IMPORTED_POLICY}}
    return options


@functools.cache
def _loose_options() -> list[tuple[str, type[BaseModel]]]:
    """A deployment's options that the schema takes as any mapping, with the models that they must fit."""
    fields = deployment_schema().model_fields.items()
    models = [(option, model_within(field.annotation), holds_any_keys(field.annotation)) for option, field in fields]
    return [(option, model) for option, model, loose in models if model is not None and loose]


def _not_json(value: Any, path: Path = ()) -> list[Finding]:
    """Values and keys that the REST API cannot carry as what they are in the file."""
    if isinstance(value, dict):
        keys = [key for key in value if not isinstance(key, str)]
        wrong = [((*path, key), f"the key {show(key)} is not text; put it in quotes") for key in keys]
        return wrong + [found for key, item in value.items() for found in _not_json(item, (*path, key))]
    if isinstance(value, list):
        return [found for index, item in enumerate(value) for found in _not_json(item, (*path, index))]
    if isinstance(value, float) and not math.isfinite(value):
        return [(path, f"expected a finite number, found {value}")]
    try:
        json.dumps(value)
    except TypeError:
        return [(path, f"expected text, a number, true, false, null, a list or a mapping; found {value!r}")]
    return []
