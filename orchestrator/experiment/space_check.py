"""The section `space`: its knobs by themselves, and against the app that they change."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from pydantic import ValidationError

from orchestrator.experiment.configured import OF_REQUESTS, knob_problem, of_the_app, value_problem
from orchestrator.knob import Choice
from orchestrator.serve_config import app_findings, merge, read
from orchestrator.space import Condition, Knob, Space, parse_knob
from orchestrator.validation import Finding, Path, dotted, nearest, show


class _Placed(NamedTuple):
    """A knob, where it stands below `space`, and the values of the conditions that it depends on."""

    path: str
    knob: Knob
    where: Path
    context: dict[str, Any]


def read_space(raw: Any, app: Mapping[str, Any]) -> tuple[Space, list[Finding]]:
    """The space, and all that is wrong with it as a space of this app; paths start below `space`."""
    if not isinstance(raw, Mapping) or not raw:
        return Space(knobs={}), [((), f"expected a mapping of paths to knobs, found {show(raw)}")]
    findings = list(_knob_findings(raw, (), app))
    wrong = {where[0] for where, _ in findings}
    space = Space(knobs={})
    for path, value in raw.items():
        if path in wrong:
            continue
        try:
            space = Space(knobs={**space.knobs, path: parse_knob(value)})
        except ValidationError as error:  # the space's own rule: no two knobs set the same thing
            findings.append(((path,), str(error.errors()[0]["ctx"]["error"])))
        except ValueError as error:
            findings.append(((path,), str(error)))
    known = set(app_findings(app))
    for placed in _placed(space, (), {}):
        findings += _refused(placed, app, known)
    return space, [*findings, *_without_baseline(space, app, ())]


def _knob_findings(raw: Mapping[Any, Any], where: Path, app: Mapping[str, Any]) -> Iterator[Finding]:
    """What is wrong with paths and knobs one by one; parsing a condition would only tell its first error."""
    for path, knob in raw.items():
        here = (*where, path)
        if not isinstance(path, str):
            yield here, f"expected a path into the app, found {show(path)}"
            continue
        if problem := knob_problem(app, path):
            yield here, problem
        branches = knob.get("condition") if isinstance(knob, Mapping) and len(knob) == 1 else None
        inside: list[Finding] = []
        for value, knobs in branches.items() if isinstance(branches, Mapping) else ():
            if isinstance(knobs, Mapping):
                inside += _knob_findings(knobs, (*here, "condition", value), app)
        yield from inside
        if not inside:
            try:
                parse_knob(knob)
            except ValueError as error:
                yield here, str(error)


def _placed(space: Space, where: Path, context: dict[str, Any]) -> Iterator[_Placed]:
    for path, knob in space.knobs.items():
        here = (*where, path)
        yield _Placed(path, knob, here, context)
        if isinstance(knob, Condition):
            for branch in knob.branches:
                inside = {**context, path: branch.value}
                yield from _placed(branch.space, (*here, "condition", branch.value), inside)


def _refused(placed: _Placed, app: Mapping[str, Any], known: set[Finding]) -> Iterator[Finding]:
    """The values that Serve would refuse, of every choice, and of both ends and the inside of a range."""
    told: set[str] = set()
    for step, value in _probes(placed.knob):
        if placed.path in OF_REQUESTS:
            if problem := value_problem(placed.path, value):
                yield (*placed.where, *step), problem
            continue
        try:
            found = app_findings(merge(app, of_the_app({**placed.context, placed.path: value})))
        except ValueError as error:
            yield placed.where, str(error)
            return
        for path, sentence in found:
            if (path, sentence) not in known and sentence not in told:
                told.add(sentence)
                what = dotted(("app", *path))
                yield (*placed.where, *step), f"with {show(value)}, Serve refuses {what}: {sentence}"


def _probes(knob: Knob) -> Iterator[tuple[Path, Any]]:
    """(where below the knob, value)."""
    if isinstance(knob, Condition):
        for branch in knob.branches:
            yield ("condition", branch.value), branch.value
    elif isinstance(knob, Choice):
        for index, value in enumerate(knob.values):
            yield (knob.kind, index), value
    else:
        yield (knob.kind, 0), knob.decode(0.0)
        yield (knob.kind, 1), knob.decode(1.0)
        yield (), knob.decode(0.375)


def _without_baseline(space: Space, app: Mapping[str, Any], where: Path) -> Iterator[Finding]:
    """Active knobs that have no value to start from."""
    for path, knob in space.knobs.items():
        if path in OF_REQUESTS:
            continue  # these have defaults in the file's own sections
        try:
            value = read(app, path)
        except KeyError:
            yield (*where, path), f"has no value to start from; {_cure(app, path)}"
            continue
        if isinstance(knob, Condition) and knob.contains(value):
            branch = knob.branches[knob.index(value)]
            yield from _without_baseline(branch.space, app, (*where, path, "condition", branch.value))


def _cure(app: Mapping[str, Any], path: str) -> str:
    parent, _, key = path.rpartition(".")
    try:
        siblings = read(app, parent)
    except KeyError:
        siblings = {}
    near = nearest(key, [str(name) for name in siblings]) if isinstance(siblings, Mapping) else None
    hint = f"did you mean {parent}.{near}? If not, " if near else ""
    return f"{hint}put its baseline value into app"
