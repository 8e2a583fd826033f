"""The experiment that searches the promising knobs together, made from the file that was gone through. Pure."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any

from orchestrator.checklist.answer import Answer, End, Tried
from orchestrator.checklist.answers import sentence_of
from orchestrator.checklist.arguments import USUAL
from orchestrator.experiment import Experiment, own_raw
from orchestrator.experiment.configured import ENCODING
from orchestrator.serve_config import merge, read
from orchestrator.space import Condition
from orchestrator.workload.plan import FILE_KINDS

PRECISION, ACCURACY = "args.precision", "min_accuracy"


def promising(answers: Sequence[Answer]) -> list[Tried]:
    """What was shown to be better, and what may be."""
    return [one for answer in answers for one in answer.tried if _promises(one)]


def _promises(one: Tried) -> bool:
    return one.end is End.GAIN or (one.end is End.OPEN and one.gain is not None and one.gain.value > 1)


def written(experiment: Experiment, found: Sequence[Tried], directory: Path) -> dict[str, Any]:
    """The experiment as it would stand in a file in `directory`, with a space of the knobs that were `found` promising.

    A knob of the file's own stays as it is; another one has the baseline's value and those that promise something. What
    the file does not state stands there with the value that it usually has, for a knob needs one to start from.
    """
    raw: dict[str, Any] = deepcopy(dict(own_raw(experiment)))
    space, stated = {}, {}
    for path, values in _values(found).items():
        now = _now(experiment, path, values)
        own = raw["space"].get(path, {})
        if own and Condition.kind not in own:  # its branches would bring knobs of which nothing is known
            space[path] = own
        else:
            space[path] = {"choice": [now, *(value for value in values if value != now)]}
        if path.startswith("args."):
            stated[path] = now
    raw["name"] = f"{experiment.name}.after-checklist"
    raw["app"] = merge(raw["app"], stated)
    raw["space"] = space
    raw.pop("across", None)  # about a knob that may be gone
    for section in _with_files(raw):
        _relocate(section, experiment.file.parent, directory)
    return raw


def header(experiment: Experiment, found: Sequence[Tried]) -> str:
    """What stands above it: where it comes from, and what each knob promised."""
    lines = [
        f"What `orchestrator checklist {experiment.file.name}` found to be promising, to be searched together:",
        *(f"  {sentence_of(one)}" for one in found),
    ]
    if any(PRECISION in one.candidate.changes for one in found) and ACCURACY not in own_raw(experiment).get("slo", {}):
        lines.append(f"A lower precision may cost accuracy: `slo: {{{ACCURACY}: 0.99}}` says how much may be lost.")
    return "\n".join(lines)


def _values(found: Sequence[Tried]) -> dict[str, list[Any]]:
    values: dict[str, list[Any]] = {}
    for one in found:
        for path, value in one.candidate.changes.items():
            values.setdefault(path, []).append(value)
    return {path: list(dict.fromkeys(every)) for path, every in values.items()}


def _now(experiment: Experiment, path: str, better: Sequence[Any]) -> Any:
    """The baseline's value, which is none of those that were found to be better."""
    if path == ENCODING:
        return experiment.workload.encoding
    try:
        return read(experiment.app, path)
    except KeyError:
        return next(value for value in USUAL[path] if value not in better)


def _with_files(raw: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The sections that may name files, which are relative to the experiment's."""
    workload = raw.get("workload") or {}
    yield from (workload, *(workload.get("mix") or ()))
    yield from (kind for kind in raw["load"].values() if isinstance(kind, dict))


def _relocate(section: dict[str, Any], before: Path, after: Path) -> None:
    """Makes what a section says of files true in another directory."""
    for key in ("data", "trace", "payloads"):
        value = section.get(key)
        is_file = isinstance(value, str) and (key != "payloads" or value.endswith(FILE_KINDS))
        if is_file and not Path(value).expanduser().is_absolute():  # type: ignore[arg-type]
            section[key] = os.path.relpath(before / str(value), after)
