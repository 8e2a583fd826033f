"""The section `space`: its knobs by themselves, and against the app that they change."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from pydantic import ValidationError

from orchestrator.serve_config import app_findings, merge, path_problem, read
from orchestrator.space import Condition, Knob, Space, parse_knob
from orchestrator.validation import Finding, Path, dotted, show


class _Placed(NamedTuple):
    """A knob, where it stands below `space`, and the values of the conditions that it depends on."""

    path: str
    knob: Knob
    where: Path
    context: dict[str, Any]


def parse_space(raw: Any) -> tuple[Space, list[Finding]]:
    """The knobs that can be read, and what is wrong with the others; paths start below `space`."""
    if not isinstance(raw, Mapping) or not raw:
        return Space(knobs={}), [((), f"expected a mapping of paths to knobs, found {show(raw)}")]
    findings: list[Finding] = []
    space = Space(knobs={})
    for path, value in raw.items():
        if not isinstance(path, str):
            findings.append(((path,), f"expected a path into the app, found {show(path)}"))
        elif inside := list(_nested_findings(value, (path,))):
            findings += inside
        else:
            try:
                space = Space(knobs={**space.knobs, path: parse_knob(value)})
            except ValidationError as error:
                findings.append(((path,), str(error.errors()[0]["ctx"]["error"])))
            except ValueError as error:
                findings.append(((path,), str(error)))
    return space, findings


def check_space(space: Space, app: Mapping[str, Any]) -> list[Finding]:
    """What is wrong with the knobs as changes of this app; paths start below `space`."""
    findings: list[Finding] = []
    known = set(app_findings(app))
    for placed in _placed(space, (), {}):
        if problem := path_problem(app, placed.path):
            findings.append((placed.where, problem))
        else:
            findings += _refused(placed, app, known)
    return findings + list(_without_baseline(space, app, ()))


def _nested_findings(raw: Any, where: Path) -> Iterator[Finding]:
    """Errors of knobs inside a condition one by one, because parsing the condition tells only the first."""
    branches = raw.get("condition") if isinstance(raw, Mapping) and len(raw) == 1 else None
    if not isinstance(branches, Mapping):
        return
    for value, knobs in branches.items():
        for path, knob in knobs.items() if isinstance(knobs, Mapping) else ():
            below = (*where, "condition", value, path)
            inside = list(_nested_findings(knob, below))
            yield from inside
            if not inside:
                try:
                    parse_knob(knob)
                except ValueError as error:
                    yield below, str(error)


def _placed(space: Space, where: Path, context: dict[str, Any]) -> Iterator[_Placed]:
    for path, knob in space.knobs.items():
        here = (*where, path)
        yield _Placed(path, knob, here, context)
        if isinstance(knob, Condition):
            for branch in knob.branches:
                inside = {**context, path: branch.value}
                yield from _placed(branch.space, (*here, "condition", branch.value), inside)


def _refused(placed: _Placed, app: Mapping[str, Any], known: set[Finding]) -> Iterator[Finding]:
    """The values of a knob that Serve would refuse: every choice; both ends of a range and a value inside it."""
    told: set[str] = set()
    for step, value in _probes(placed.knob):
        try:
            found = app_findings(merge(app, {**placed.context, placed.path: value}))
        except ValueError as error:
            yield placed.where, str(error)
            return
        for path, sentence in found:
            if (path, sentence) not in known and sentence not in told:
                told.add(sentence)
                yield (
                    (*placed.where, *step),
                    f"with {show(value)}, Serve refuses {dotted(('app', *path))}: {sentence}",
                )


def _probes(knob: Knob) -> Iterator[tuple[Path, Any]]:
    """(where below the knob, value)."""
    if isinstance(knob, Condition):
        for branch in knob.branches:
            yield ("condition", branch.value), branch.value
    elif knob.kind == "choice":
        for index, value in enumerate(knob.values):
            yield ("choice", index), value
    else:
        yield (knob.kind, 0), knob.decode(0.0)
        yield (knob.kind, 1), knob.decode(1.0)
        yield (), knob.decode(0.382)


def _without_baseline(space: Space, app: Mapping[str, Any], where: Path) -> Iterator[Finding]:
    """Active knobs that have no value to start from."""
    for path, knob in space.knobs.items():
        if path_problem(app, path):
            continue
        try:
            value = read(app, path)
        except KeyError:
            yield (*where, path), "has no value to start from; put its baseline value into app"
            continue
        if isinstance(knob, Condition) and knob.contains(value):
            branch = knob.branches[knob.index(value)]
            yield from _without_baseline(branch.space, app, (*where, path, "condition", branch.value))
