"""Values of an app by path."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from orchestrator.serve_config.app import deployments, plain
from orchestrator.serve_config.schema import application_schema, default, deployment_schema
from orchestrator.validation import holds_any_keys, model_within, show, unknown

if TYPE_CHECKING:
    from pydantic import BaseModel

_SET_BY_ORCHESTRATOR = ("name", "route_prefix", "host", "port")


def merge(app: Mapping[str, Any], configuration: Mapping[str, Any]) -> dict[str, Any]:
    """A copy of the app with each path set to its value; mappings on the way are made as needed.

    A deployment that the app does not list is appended. Raises ValueError where a path leads through
    something that is not a mapping.
    """
    merged, names = plain(app), _names(app)
    for path, value in configuration.items():
        deployment, keys = _split(names, path)
        target = merged if deployment is None else _entry(merged, deployment)
        for key in keys[:-1]:
            if target.get(key) is None:
                target[key] = {}
            target = target[key]
            if not isinstance(target, dict):
                raise ValueError(f"'{path}' leads through '{key}', which is {show(target)}, not a mapping")
        target[keys[-1]] = plain(value)
    return merged


def read(app: Mapping[str, Any], path: str) -> Any:
    """The value at a path, or Serve's default where the app is silent; KeyError where there is none.

    An option that the app's code sets and its config does not is unknown here.
    """
    deployment, keys = _split(_names(app), path)
    value: Any = app
    if deployment is not None:
        value = next((entry for entry in deployments(app) if entry["name"] == deployment), {})
    for depth, key in enumerate(keys):
        if not isinstance(value, Mapping) or key not in value:
            return default(keys, of_deployment=deployment is not None, given=depth)
        value = value[key]
    return plain(value)


def path_problem(app: Mapping[str, Any], path: str) -> str | None:
    """Why a path cannot be a knob of this app (a sentence with the nearest valid name), or None if it can."""
    names = _names(app)
    if path in names:
        return f"names a deployment but none of its options; write {path}.num_replicas, for example"
    deployment, keys = _split(names, path)
    first = deployment or keys[0]
    if first in _SET_BY_ORCHESTRATOR and deployment is None:
        return f"'{first}' is set by the orchestrator and cannot be tuned"
    if first == "deployments" and deployment is None:
        return f"a path starts with a deployment's own name; the app lists {', '.join(names) or 'none'}"
    fields = application_schema().model_fields
    if first not in names and first not in fields:
        tunable = [field for field in fields if field not in (*_SET_BY_ORCHESTRATOR, "deployments")]
        return unknown("deployment or field of the app", first, [*names, *tunable])
    if keys == ["name"]:
        return "the name of a deployment cannot be tuned"
    return _keys_problem(application_schema() if deployment is None else deployment_schema(), keys)


def _names(app: Mapping[str, Any]) -> list[str]:
    """Of the deployments that the app lists."""
    return [entry["name"] for entry in deployments(app)]


def _split(names: Sequence[str], path: str) -> tuple[str | None, list[str]]:
    """A path as (deployment, keys below its entry), or (None, keys) for a field of the application itself.

    A first name that is neither a listed deployment nor a field of Serve's schema is taken for a deployment.
    """
    # names may hold dots: the longest match wins
    if name := max((name for name in names if path.startswith(f"{name}.")), key=len, default=None):
        return name, path[len(name) + 1 :].split(".")
    first, *rest = path.split(".")
    if not rest or first in application_schema().model_fields:
        return None, [first, *rest]
    return first, rest


def _entry(app: dict[str, Any], name: str) -> dict[str, Any]:
    for entry in deployments(app):
        if entry["name"] == name:
            return entry
    app["deployments"] = [*(app.get("deployments") or []), {"name": name}]
    return app["deployments"][-1]


def _keys_problem(model: type[BaseModel], keys: list[str]) -> str | None:
    """Why no value can stand at these keys below the model, or None."""
    for depth, key in enumerate(keys):
        if key not in model.model_fields:
            return unknown("option", key, model.model_fields)
        annotation, last = model.model_fields[key].annotation, depth == len(keys) - 1
        nested = model_within(annotation)
        if nested is None:
            ends_here = last or holds_any_keys(annotation)
            return None if ends_here else f"'{key}' has no options of its own; the path must end there"
        model = nested
    return None
