"""`mode: offline`: the file of a job, to which whole sections of a serving experiment mean nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal, get_args

from orchestrator.experiment.traffic import ClosedLoop, Load
from orchestrator.objective import ITEMS_PER_S
from orchestrator.result import Objective
from orchestrator.validation import Finding, Path, show

Mode = Literal["serving", "offline"]
MODES: tuple[str, ...] = get_args(Mode)
OFFLINE = "offline"

ONE_BY_ONE = Load(closed_loop=ClosedLoop(concurrency=1))
"""The load of a job: the next step begins when the one before it has ended."""

APP_KEYS = ("import_path", "args")
PREFIX = "args."

_MEANINGLESS: Mapping[Path, str] = {
    ("load",): "a job has no requests: its steps follow each other; leave it out",
    ("workload",): "a job has no requests: it makes its own data, as its args say; leave it out",
    ("workloads",): "these are loads of a server, and a job has none; make what differs a knob, such as args.model",
    ("prices",): "prices are those of requests, and a job has none; leave it out",
    ("slo", "error_ratio"): "a step that fails ends its trial, so that there is no share of failures; leave it out",
    ("measure", "ceiling"): "there is no proxy whose ceiling could be measured; leave it out",
    ("measure", "requests"): "a job has no requests: its window ends when the precision is reached; leave it out",
    ("cluster", "data_plane"): "a job is not behind a proxy; leave it out",
}
"""Keys of a file that mean nothing to a job, and why."""


def of_a_job(raw: Mapping[Any, Any]) -> tuple[dict[Any, Any], list[Finding]]:
    """The file without what means nothing to a job, and a sentence for each of those."""
    kept, findings = dict(raw), list[Finding]()
    for path, why in _MEANINGLESS.items():
        section, *inner = path
        if section not in kept:
            continue
        if not inner:
            del kept[section]
            findings.append((path, f"means nothing with mode: offline; {why}"))
        elif isinstance(kept[section], Mapping) and inner[0] in kept[section]:
            kept[section] = {key: value for key, value in kept[section].items() if key != inner[0]}
            findings.append((path, f"means nothing with mode: offline; {why}"))
    for section, found in (("app", _app_findings), ("space", _space_findings)):
        if isinstance(kept.get(section), Mapping):
            wrong = dict(found(kept[section]))
            kept[section] = {key: value for key, value in kept[section].items() if key not in wrong}
            findings += [((section, key), sentence) for key, sentence in wrong.items()]
    return kept, findings


def against_job(objective: Objective) -> Iterator[str]:
    """Why offline trials cannot be told apart by the objective."""
    if objective.metric == ITEMS_PER_S or objective.metric.startswith("latency_"):
        return
    why = "one step is not like another" if objective.metric == "throughput_rps" else "a job has no such figure"
    yield (
        f"with mode: offline the objective is {{maximize: {ITEMS_PER_S}}}, or the time of a step, such as "
        f"{{minimize: latency_mean_ms}}; {why}"
    )


def _app_findings(app: Mapping[Any, Any]) -> Iterator[tuple[Any, str]]:
    for key in app:
        if key not in APP_KEYS:
            yield key, f"is an option of Ray Serve, and a job is not served; its keys are {' and '.join(APP_KEYS)}"


def _space_findings(space: Mapping[Any, Any]) -> Iterator[tuple[Any, str]]:
    for path, knob in space.items():
        if wrong := next((inner for inner in _paths(path, knob) if not _is_argument(inner)), None):
            yield path, f"{show(wrong)} is no argument of a job; its knobs are arguments, such as args.batch_size"


def _is_argument(path: Any) -> bool:
    return isinstance(path, str) and path.startswith(PREFIX) and path != PREFIX


def _paths(path: Any, knob: Any) -> Iterator[Any]:
    """A knob's own path, and those that its branches bring."""
    yield path
    branches = knob.get("condition") if isinstance(knob, Mapping) else None
    for inner in branches.values() if isinstance(branches, Mapping) else ():
        for inner_path, inner_knob in inner.items() if isinstance(inner, Mapping) else ():
            yield from _paths(inner_path, inner_knob)
