"""From an experiment file to an `Experiment`, or to everything that is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from orchestrator.errors import ExperimentError, Problem
from orchestrator.experiment.across import across_problems
from orchestrator.experiment.load_check import against_measure, against_slo, read_load
from orchestrator.experiment.measure_check import against_goals
from orchestrator.experiment.objective_check import against_load, against_prices, against_space, nothing_to_pay
from orchestrator.experiment.offline import MODES, OFFLINE, ONE_BY_ONE, against_job, of_a_job
from orchestrator.experiment.plan import ClusterPlan, ConfirmPlan, Experiment, MeasurePlan, SearchPlan
from orchestrator.experiment.source import Source, UnreadableError
from orchestrator.experiment.space_check import read_space
from orchestrator.experiment.workloads import placed, read_workloads
from orchestrator.objective import Prices, Slo, read_objectives, read_slo
from orchestrator.plain import is_number
from orchestrator.serve_config import app_findings
from orchestrator.validation import Finding, dotted, nearest, show, unknown, validate
from orchestrator.workload.plan import Workload

_SECTIONS: Mapping[str, Callable[[Any], tuple[Any, list[Finding]]]] = {
    "workload": partial(validate, Workload),
    "measure": partial(validate, MeasurePlan),
    "slo": read_slo,
    "objective": read_objectives,
    "prices": partial(validate, Prices),
    "search": partial(validate, SearchPlan),
    "confirm": partial(validate, ConfirmPlan),
    "cluster": partial(validate, ClusterPlan),
}
KEYS = (
    *("name", "mode", "app", "deploy_timeout_s", "space", "across", "workload", "load"),
    *(*list(_SECTIONS)[1:], "workloads"),
)
_REQUIRED = {
    "app": "the Serve application to tune, as in a Serve config",
    "load": "for example {closed_loop: {concurrency: 32}}",
    "objective": "for example {maximize: throughput_rps}",
    "space": "the options to tune and their ranges",
}
_REQUIRED_OFFLINE = {
    "app": "the job: import_path: module:build, and its args",
    "objective": "for example {maximize: items_per_s}",
    "space": "the arguments to tune and their ranges, such as args.batch_size: {choice: [1, 8, 64]}",
}
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def load_experiment(path: Path) -> Experiment:
    """Reads and checks an experiment file; ExperimentError holds all of its problems in file order."""
    return read_experiment(_read(path), path)


def read_experiment(text: str, path: Path) -> Experiment:
    """The same, of a text that stands, or stood, in the file at `path`: other files are looked for beside that."""
    try:
        source = Source(text)
    except UnreadableError as error:
        raise ExperimentError(str(path), error.problems) from None
    if not isinstance(source.value, dict):
        problem = Problem("", f"expected a mapping with the keys {', '.join(KEYS)}; found {show(source.value)}")
        raise ExperimentError(str(path), [problem])
    offline = source.value.get("mode") == OFFLINE  # workloads mean nothing there, which is told with the rest
    variants, findings = read_workloads({} if offline else source.value)
    parts: dict[str | None, dict[str, Any]] = {}
    by_variant = []
    for variant in variants:
        parts[variant.name], found = _values(variant.raw, path)
        by_variant.append((variant, found))
    findings += placed(by_variant)
    if not variants:
        parts[None], found = _values(source.value, path)
        findings += found
    if findings or source.repeated:
        raise ExperimentError(str(path), _in_file_order(findings, source))
    experiments = [
        Experiment(file=path.absolute(), text=text, variant=name, objectives=values.pop("objective"), **values)
        for name, values in parts.items()
    ]
    first = experiments[0]
    return first.model_copy(update={"variant": None, "workloads": tuple(experiments)}) if variants else first


def own_raw(experiment: Experiment) -> Mapping[str, Any]:
    """What the file says of an experiment, section by section; of one of several workloads what holds for that one."""
    raw: Mapping[str, Any] = Source(experiment.text).value
    variants, _ = read_workloads(raw)
    return next((variant.raw for variant in variants if variant.name == experiment.variant), raw)


def _values(raw: Mapping[Any, Any], file: Path) -> tuple[dict[str, Any], list[Finding]]:
    """The fields of the experiment that can be read, and what is wrong with the others."""
    findings: list[Finding] = [((key,), unknown("key", key, KEYS)) for key in raw if key not in KEYS]
    values: dict[str, Any] = {"name": raw.get("name", file.stem), "mode": raw.get("mode", MODES[0])}
    required = _REQUIRED
    if values["mode"] == OFFLINE:
        raw, found = of_a_job(raw)
        findings += found
        required = {**_REQUIRED, **_REQUIRED_OFFLINE}
        del required["load"]
        values["load"] = ONE_BY_ONE
    elif values["mode"] not in MODES:
        findings.append((("mode",), unknown("mode", values["mode"], MODES)))
    findings += [((key,), f"is missing; {what}") for key, what in required.items() if key not in raw]
    if sentence := _name_problem(values["name"], given="name" in raw):
        findings.append((("name",), sentence))
    if "deploy_timeout_s" in raw:
        timeout = values["deploy_timeout_s"] = raw["deploy_timeout_s"]
        if not is_number(timeout) or timeout <= 0:
            findings.append((("deploy_timeout_s",), f"expected a number above 0, found {show(timeout)}"))
    for key, section in _SECTIONS.items():
        if key in raw:
            values[key], found = section(raw[key])
            findings += _below(key, found)
    findings += _load(raw, values, file.parent)
    findings += _app_and_space(raw, values)
    findings += _objectives(raw, values)
    findings += against_goals(values.get("measure"), values.get("slo"), values.get("objective") or ())
    if "across" in raw:
        values["across"] = raw["across"]
        findings += [(("across",), sentence) for sentence in across_problems(raw["across"], values.get("space"))]
    return values, findings or list(nothing_to_pay(values["app"], values.get("prices")))


def _load(raw: Mapping[Any, Any], values: dict[str, Any], base_dir: Path) -> list[Finding]:
    """Reads it into `values`; whether it can be put and measured depends on other sections and on files."""
    if "load" not in raw:
        return []
    load, found = read_load(raw["load"])
    values["load"] = load
    findings = _below("load", found)
    if load is not None:
        findings += against_slo(load, values.get("slo", Slo()))
        findings += against_measure(load, values.get("measure", MeasurePlan()), base_dir)
    return findings


def _objectives(raw: Mapping[Any, Any], values: Mapping[str, Any]) -> list[Finding]:
    """Whether the load, the space and the prices have what each objective needs, as far as they can be read."""
    findings: list[Finding] = []
    for index, objective in enumerate(values.get("objective") or ()):
        if values["mode"] == OFFLINE:
            found = [*against_job(objective)]
        else:
            found = [*against_load(objective, values.get("load"), values.get("prices"))]
            found += against_prices(objective, given="prices" in raw)
        found += against_space(objective, values.get("space"))
        where = ("objective", index) if isinstance(raw["objective"], list) else ("objective",)
        findings += [((*where, objective.direction), sentence) for sentence in found]
    return findings


def _app_and_space(raw: Mapping[Any, Any], values: dict[str, Any]) -> list[Finding]:
    """Reads both into `values`; a space says nothing without the app that it changes."""
    if "app" not in raw:
        return []
    values["app"] = app = raw["app"]
    if not isinstance(app, Mapping):
        return [(("app",), f"expected a Serve application, found {show(app)}")]
    findings = _below("app", app_findings(app))
    if "space" in raw:
        values["space"], found = read_space(raw["space"], app)
        findings += _below("space", found)
    return findings


def _name_problem(name: Any, given: bool) -> str | None:
    if isinstance(name, str) and _NAME.fullmatch(name):
        return None
    allowed = "letters, digits, '.', '_' and '-', beginning with a letter or digit"
    if given:
        return f"expected {allowed}; found {show(name)}"
    return f"is missing, and the file's own name {show(name)} cannot stand for it; a name is {allowed}"


def _below(key: str, findings: list[Finding]) -> list[Finding]:
    return [((key, *path), sentence) for path, sentence in findings]


def _in_file_order(findings: list[Finding], source: Source) -> list[Problem]:
    """What belongs to no line comes first."""
    placed = [((problem.line or 0, 0), problem) for problem in source.repeated]
    for path, sentence in findings:
        at = source.position(path)
        placed.append((at or (0, 0), Problem(dotted(path), sentence, at[0] if at else None)))
    return [problem for _, problem in sorted(placed, key=lambda entry: entry[0])]


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        near = nearest(path.name, [other.name for other in path.parent.glob("*.y*ml")])
        hint = f"; did you mean {path.parent / near}?" if near else ""
        problem = f"no such file{hint}"
    except UnicodeDecodeError as error:
        problem = f"is not UTF-8 text (byte {error.start})"
    except OSError as error:
        problem = f"cannot be read: {(error.strerror or str(error)).lower()}"
    raise ExperimentError(str(path), [Problem("", problem)])
