"""The section `workloads`: several loads for one application, each of which is searched by itself."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from orchestrator.serve_config import merge, path_problem
from orchestrator.validation import Finding, Path, show, unknown

KEYS = ("name", "load", "workload", "slo", "app")
_REPLACED = ("load", "workload", "slo")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


@dataclass(frozen=True)
class Variant:
    """The file as it is for one of its workloads: what that states stands in place of what the file does.

    `index` is the workload's place in the list, `own` are the keys that it states.
    """

    name: str
    index: int
    raw: Mapping[Any, Any]
    own: frozenset[str]


def read_workloads(raw: Mapping[Any, Any]) -> tuple[list[Variant], list[Finding]]:
    """The variants of a file, none if it has no workloads, and what is wrong with the list itself."""
    listed = raw.get("workloads")
    if listed is None and "workloads" not in raw:
        return [], []
    if not isinstance(listed, list) or not listed:
        return [], [(("workloads",), f"expected a list of {{name, load, ...}}, found {show(listed)}")]
    variants: list[Variant] = []
    findings: list[Finding] = []
    for index, entry in enumerate(listed):
        where: Path = ("workloads", index)
        if not isinstance(entry, Mapping):
            findings.append((where, f"expected a mapping with the keys {', '.join(KEYS)}; found {show(entry)}"))
            continue
        findings += [((*where, key), unknown("key", key, KEYS)) for key in entry if key not in KEYS]
        if sentence := _name_problem(entry, [variant.name for variant in variants]):
            findings.append(((*where, "name"), sentence))
        app, found = _changed_app(raw.get("app"), entry.get("app", {}))
        findings += [((*where, "app", *path), sentence) for path, sentence in found]
        replaced = {key: entry[key] for key in _REPLACED if key in entry}
        rest = {key: value for key, value in raw.items() if key != "workloads"}
        own = frozenset(replaced)
        variants.append(Variant(str(entry.get("name")), index, {**rest, "app": app, **replaced}, own))
    return variants, findings


def placed(findings: Sequence[tuple[Variant, Sequence[Finding]]]) -> list[Finding]:
    """What is wrong with the variants, at its place in the file; what is wrong with all of them once."""
    counted = Counter(finding for _, found in findings for finding in found)
    result = []
    for variant, found in findings:
        for path, sentence in found:
            if path and path[0] in variant.own:
                result.append((("workloads", variant.index, *path), sentence))
            elif counted[path, sentence] == len(findings):
                result.append((path, sentence))
            else:
                result.append((path, f"under the workload {variant.name!r}: {sentence}"))
    return list(dict.fromkeys(result))


def _name_problem(entry: Mapping[Any, Any], others: list[str]) -> str | None:
    name = entry.get("name")
    if name is None:
        return "is missing: the results of a workload are told by its name"
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        return f"expected letters, digits, '.', '_' and '-', beginning with a letter or digit; found {show(name)}"
    return f"there is a workload {name!r} already" if name in others else None


def _changed_app(app: Any, changes: Any) -> tuple[Any, list[Finding]]:
    """The app with the changes {path: value} in it."""
    if not isinstance(app, Mapping):
        return app, []  # told elsewhere
    if not isinstance(changes, Mapping):
        return app, [((), f"expected a mapping of paths to values, found {show(changes)}")]
    findings: list[Finding] = []
    for path, value in changes.items():
        problem = path_problem(app, path) if isinstance(path, str) else f"expected a path, found {show(path)}"
        if problem:
            findings.append(((path,), problem))
            continue
        try:
            app = merge(app, {path: value})
        except ValueError as error:
            findings.append(((path,), str(error)))
    return app, findings
