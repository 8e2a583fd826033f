"""The section `load`: by itself, and against the sections and files without which it means nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from orchestrator.experiment.plan import MeasurePlan
from orchestrator.experiment.traffic import ARRIVALS, KINDS, ClosedLoop, Load, MaxRate, OpenLoop, Ramp, Steady, Trace
from orchestrator.load import arrivals
from orchestrator.objective import Slo
from orchestrator.validation import Finding, nearest, show, unknown, validate

_STAND_IN = ClosedLoop(concurrency=1)
_SLO = "for example slo: {p99_ms: 50, error_ratio: 0.001}"


def read_load(raw: Any) -> tuple[Load | None, list[Finding]]:
    """The load (None if anything is wrong), and all that is wrong with it; paths start below `load`."""
    if not isinstance(raw, Mapping):
        return validate(Load, raw)
    rest = {key: value for key, value in raw.items() if key not in KINDS}
    given = [kind for kind in KINDS if kind in raw]
    traffic, findings = _traffic(given[0], raw[given[0]]) if len(given) == 1 else (None, list(_not_one(given, rest)))
    # whatever is wrong with its kind, the keys beside it are still to be checked
    kind = given[0] if traffic is not None else "closed_loop"
    load, found = validate(Load, {**rest, kind: traffic or _STAND_IN})
    findings += found
    if load is not None and traffic is not None:
        findings += _idle_or_unshared(load)
    return (None if findings else load), findings


def against_slo(load: Load, slo: Slo | None) -> Iterator[Finding]:
    """Whether the SLO allows to look for a rate (None: it cannot be read); paths start at the top of the file."""
    if load.max_rate is not None and slo is not None and not slo.limits():
        yield ("load", "max_rate"), f"is the highest rate at which the SLO holds, and there is none; add {_SLO}"


def against_measure(load: Load, measure: MeasurePlan | None, base_dir: Path) -> Iterator[Finding]:
    """Whether a trace can be read, and a load that ends by itself lasts long enough (None: no telling)."""
    match load.open_loop:
        case Trace(trace=name, speed=speed):
            where = ("load", "open_loop", "trace")
            try:
                ends_s = float(arrivals.trace(base_dir / name, speed)[-1])
            except OSError as error:
                yield where, _unreadable(base_dir / name, error)
                return
            except ValueError as error:
                yield where, str(error)
                return
        case Ramp(ramp=points):
            where = ("load", "open_loop", "ramp")
            ends_s = points[-1][0]
        case _:
            return
    needed_s = measure.warmup_s + measure.min_s if measure is not None else 0.0
    if ends_s < needed_s:
        yield where, f"ends after {ends_s:g} s, before measure.warmup_s and measure.min_s have passed ({needed_s:g} s)"


def _unreadable(file: Path, error: OSError) -> str:
    near = nearest(file.name, [other.name for other in file.parent.glob("*")]) if not file.exists() else None
    hint = f"; did you mean '{near}'?" if near else ""
    return f"{file}: {(error.strerror or str(error)).lower()}{hint}"


def _not_one(given: list[str], rest: Mapping[Any, Any]) -> Iterator[Finding]:
    if given:
        yield (given[1],), f"a load is one of {', '.join(KINDS)}; found {' and '.join(given)}"
    elif not any(nearest(key, KINDS) for key in rest if key not in Load.model_fields):  # a typo is told by itself
        yield (), f"has no kind: expected one of {', '.join(KINDS)}"


def _traffic(kind: str, raw: Any) -> tuple[ClosedLoop | OpenLoop | MaxRate | None, list[Finding]]:
    """The values of one kind of load; paths start with its name."""
    if kind == "open_loop":
        value, findings = _open_loop(raw)
    else:
        value, findings = validate(ClosedLoop if kind == "closed_loop" else MaxRate, raw)
    return value, [((kind, *path), sentence) for path, sentence in findings]


def _open_loop(raw: Any) -> tuple[Any, list[Finding]]:
    """Each kind of arrivals has keys of its own."""
    if not isinstance(raw, Mapping):
        return None, [((), f"expected a mapping such as {{rate_rps: 200, arrivals: poisson}}; found {show(raw)}")]
    name = raw.get("arrivals", Steady.model_fields["arrivals"].default)
    if not isinstance(name, str) or name not in ARRIVALS:
        return None, [(("arrivals",), unknown("kind of arrivals", name, ARRIVALS))]
    value, findings = validate(ARRIVALS[name], raw)
    foreign = [((key,), sentence) for key in raw if (sentence := _of_other_arrivals(key, name))]
    if not foreign:
        return value, findings
    # who gives the keys of another kind did not forget those of this one
    places = {path for path, _ in foreign}
    return None, foreign + [(path, told) for path, told in findings if path not in places and told != "is missing"]


def _of_other_arrivals(key: Any, name: str) -> str | None:
    """The sentence about a key that other kinds of arrivals have, and this one has not."""
    owners = [other for other, fields in ARRIVALS.items() if key in fields.model_fields]
    if not owners or name in owners:
        return None
    return f"'{key}' goes with arrivals: {' or '.join(owners)}; {name} takes {', '.join(ARRIVALS[name].model_fields)}"


def _idle_or_unshared(load: Load) -> Iterator[Finding]:
    """What would silently do nothing, and what is too little for the client processes."""
    if load.closed_loop is None:
        whole, of_what = load.max_connections, "connections of max_connections"
    else:
        whole, of_what = load.closed_loop.concurrency, "clients of closed_loop.concurrency"
        if "max_connections" in load.model_fields_set:
            yield ("max_connections",), "does nothing here: a closed loop has one connection for each of its clients"
    if load.clients != "auto" and load.clients > whole:
        yield ("clients",), f"{load.clients} client processes cannot share {whole} {of_what}"
