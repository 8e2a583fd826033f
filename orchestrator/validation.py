"""What is wrong with a value by a pydantic model, in plain sentences and with the nearest valid name."""

from __future__ import annotations

import difflib
import re
import types
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

Path = tuple[Any, ...]
"""Keys and list indices from a value down to one of its parts; () is the value itself."""

Finding = tuple[Path, str]
"""Where something is wrong, and the sentence that says what."""

Model = TypeVar("Model", bound=BaseModel)

_EXPECTED = {  # pydantic's error type -> what is expected; {names} come from the error's context
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "finite_number": "a finite number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "string_type": "text",
    "list_type": "a list",
    "tuple_type": "a list",
    "dict_type": "a mapping",
    "mapping_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
    "greater_than": "a number above {gt}",
    "greater_than_equal": "a number of at least {ge}",
    "less_than": "a number below {lt}",
    "less_than_equal": "a number of at most {le}",
    "literal_error": "{expected}",
    "enum": "{expected}",
    "invalid_key": "keys that are text",
    "string_pattern_mismatch": "text that matches {pattern}",
    "string_too_short": "text of at least {min_length} characters",
}


def validate(model: type[Model], value: Any) -> tuple[Model | None, list[Finding]]:
    """The value as an instance of the model (None if anything is wrong), and all that is wrong with it."""
    if not isinstance(value, Mapping):
        allowed = ", ".join(model.model_fields)
        return None, [((), f"expected a mapping with the keys {allowed}; found {show(value)}")]
    instance, findings = violations(model, value)
    findings = [*unknown_keys(model, value), *findings]
    return (None if findings else instance), findings


def violations(model: type[Model], value: Mapping[str, Any]) -> tuple[Model | None, list[Finding]]:
    """The same, less the keys that the model does not have."""
    try:
        return model.model_validate(value), []
    except ValidationError as error:
        return None, _sentences(error.errors(include_url=False), value)
    except (TypeError, AttributeError, KeyError) as error:
        # Validators of foreign models take the shape of their input for granted.
        return None, [((), f"has a value of the wrong kind: {error}")]


def dotted(path: Path) -> str:
    """A path as people write it: `app.deployments[0].name`."""
    steps = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return "".join(steps).removeprefix(".")


def unknown_keys(model: type[BaseModel], value: Any, path: Path = ()) -> Iterator[Finding]:
    """Keys of the value, at any depth, that the model and the models nested in it do not have."""
    if not isinstance(value, Mapping):
        return
    for key, item in value.items():
        if key not in model.model_fields:
            yield (*path, key), unknown("key", key, model.model_fields)
            continue
        annotation = model.model_fields[key].annotation
        if (nested := model_within(annotation)) is not None:
            yield from unknown_keys(nested, item, (*path, key))
        elif (of := item_model(annotation)) is not None and isinstance(item, list):
            for index, entry in enumerate(item):
                yield from unknown_keys(of, entry, (*path, key, index))


def model_within(annotation: Any) -> type[BaseModel] | None:
    """The pydantic model that a field holds (`Model`, `Model | None`, `dict | Model`), if it does."""
    return next((part for part in _alternatives(annotation) if _is_model(part)), None)


def item_model(annotation: Any) -> type[BaseModel] | None:
    """The pydantic model of a list's items (`list[Model]`, `list[dict | Model] | None`), if it has one."""
    lists = [part for part in _alternatives(annotation) if get_origin(part) is list]
    return next((found for part in lists for item in get_args(part) if (found := model_within(item))), None)


def holds_any_keys(annotation: Any) -> bool:
    """Whether a field is a mapping with keys of the user's own choice."""
    return any(part is dict or get_origin(part) is dict for part in _alternatives(annotation))


def is_optional(annotation: Any) -> bool:
    """Whether a field may be null."""
    return type(None) in _alternatives(annotation)


def unknown(what: str, name: Any, allowed: Iterable[str]) -> str:
    """The sentence about a name that does not exist: the nearest one that does, and all of them."""
    names = list(dict.fromkeys(allowed))
    hint = f"did you mean '{match}'? " if (match := nearest(name, names)) else ""
    return f"unknown {what} '{name}'; {hint}allowed: {', '.join(names) or 'none'}"


def nearest(name: Any, allowed: Iterable[str]) -> str | None:
    """The valid name that looks most like `name`, if one looks like it at all."""
    by_folded = {candidate.lower(): candidate for candidate in allowed}
    matches = difflib.get_close_matches(str(name).lower(), by_folded, n=1, cutoff=0.6)
    return by_folded[matches[0]] if matches else None


def show(value: Any) -> str:
    """A found value as a reader of the YAML file knows it."""
    if value is None:
        return "nothing (null)"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f"'{value if len(value) <= 60 else value[:57] + '...'}'"
    if isinstance(value, Mapping):
        return f"a mapping with the keys {', '.join(map(str, value))}" if value else "an empty mapping"
    if isinstance(value, (list, tuple)):
        return f"a list of {len(value)}"
    return str(value)


def _alternatives(annotation: Any) -> tuple[Any, ...]:
    if get_origin(annotation) in (Union, types.UnionType):
        return tuple(part for arg in get_args(annotation) for part in _alternatives(arg))
    return (annotation,)


def _is_model(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _sentences(errors: Sequence[ErrorDetails], value: Any) -> list[Finding]:
    """One finding a place: the alternatives of a union fail one by one but are one mistake."""
    by_path: dict[Path, list[ErrorDetails]] = {}
    for error in errors:
        if error["type"] != "extra_forbidden":  # `unknown_keys` says it with the nearest name
            by_path.setdefault(_real_path(error, value), []).append(error)
    return [(path, _sentence(group)) for path, group in by_path.items()]


def _real_path(error: ErrorDetails, value: Any) -> Path:
    """pydantic's location without what is not in the value: names of validators and of union members."""
    path: list[Any] = []
    for step in error["loc"]:
        if error["type"] == "missing" and len(path) == len(error["loc"]) - 1:
            return (*path, step)
        in_list = isinstance(value, (list, tuple)) and isinstance(step, int) and step < len(value)
        if not in_list and not (isinstance(value, Mapping) and step in value):
            break
        value = value[step]
        path.append(step)
    return tuple(path)


def _sentence(group: Sequence[ErrorDetails]) -> str:
    first = group[0]
    if first["type"] == "missing":
        return "is missing"
    for error in group:
        if error["type"] in ("value_error", "assertion_error"):
            return re.sub(r"^(Value|Assertion) error, ", "", error["msg"]).rstrip(".")
    expected = " or ".join(dict.fromkeys(_expected(error) for error in group))
    found = first["input"]
    options = re.findall(r"'([^']+)'", expected) if isinstance(found, str) else []
    hint = f"; did you mean '{match}'?" if (match := nearest(found, options)) else ""
    return f"expected {expected}, found {show(found)}{hint}"


def _expected(error: ErrorDetails) -> str:
    known = _EXPECTED.get(error["type"])
    if known is not None:
        context = error.get("ctx", {})
        return known.format(**{key: f"{v:g}" if isinstance(v, float) else v for key, v in context.items()})
    return re.sub(r"^(Input|Value) should (be|have) ", "", error["msg"])
