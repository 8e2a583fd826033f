"""`orchestrator check`: what an experiment means, before anything is started."""

from __future__ import annotations

import math
from pathlib import Path

from rich.console import Console
from rich.table import Table

from orchestrator.cli.pruned import print_pruned
from orchestrator.cluster import default_data_plane
from orchestrator.environment import allowed_cores
from orchestrator.experiment import (
    Bursts,
    ClosedLoop,
    Experiment,
    Load,
    MaxRate,
    OpenLoop,
    Ramp,
    Steady,
    Trace,
    replications,
)
from orchestrator.names import duration, limit_text, value_text
from orchestrator.pruning import Node, Pruning
from orchestrator.serve_config import reserved
from orchestrator.workload.inputs import inputs_text

STARTUP_S = 15.0
IN_PLACE_S, REPLACED_S = 0.6, 4.5
"""Typical overhead of a trial when Serve applies its change in place, and when replicas are replaced."""
FRESH_S = 5.0
"""That of an offline trial, which starts a process, imports and builds."""
FEWEST_RATES, MOST_RATES = 6, 16
"""Loads of a trial that looks for the highest rate: a factor of 2 bisected to 5 %, and where the search gives up."""


def print_check(console: Console, experiment: Experiment) -> None:
    """Prints the knobs, the size of the space, the baseline, the load, the time it will take and what is pruned."""
    console.print(f"[bold]{experiment.name}[/]: valid", highlight=False)
    console.print(_knobs(experiment))
    size = experiment.space.size()
    search, measure = experiment.search, experiment.measure
    facts = {
        "space": "infinite (a knob is continuous)" if size is None else f"{size:,} configurations",
        **_across(experiment),
        "search": f"{search.algorithm}, {search.trials} trials after the baseline, seed {search.seed}",
        **_loads(experiment),
        "measure": f"{measure.warmup_s:g} to {measure.warmup_max_s:g} s warm-up, then {measure.min_s:g} to "
        f"{measure.max_s:g} s, {_until(experiment)}",
        "objective": ", ".join(map(str, experiment.objectives)),
        "SLO": _slo(experiment),
        **_prices(experiment),
        "confirm": _confirm(experiment),
        "time": estimate(experiment),
    }
    for name, fact in facts.items():
        console.print(f"{name + ':':<11}{fact}", highlight=False)
    if not experiment.is_offline:
        _print_pruned_here(console, experiment)


def _print_pruned_here(console: Console, experiment: Experiment) -> None:
    """What is pruned on a cluster that would be started here; an existing one is asked when the study begins."""
    cpus = experiment.cluster.num_cpus or allowed_cores(Path("/sys/fs/cgroup"))
    first = experiment.workloads[0] if experiment.workloads else experiment
    here = Node({"CPU": cpus}, others=math.inf)
    plane = experiment.cluster.data_plane or default_data_plane()
    looked_at = f"on this machine ({cpus:g} CPU, {plane}); `run` looks at all resources of its cluster"
    if first.variant is not None:
        looked_at = f"under the workload {first.variant}, {looked_at}"
    print_pruned(console, Pruning(first, here, plane), looked_at)


def load_text(load: Load) -> str:
    """The load in one line; what is not said is at its default."""
    parts = [_traffic_text(load.traffic)]
    if load.items_per_request > 1:
        parts.append(f"{load.items_per_request} items a request")
    if load.clients != "auto":
        parts.append(f"from {load.clients} client process{'es' if load.clients > 1 else ''}")
    if load.placement == "other_node":
        parts.append("sent from another node")
    return ", ".join(parts)


def _traffic_text(traffic: ClosedLoop | OpenLoop | MaxRate) -> str:
    match traffic:
        case ClosedLoop(concurrency=clients, think_time_s=pause_s):
            pause = f", each pausing {pause_s:g} s before its next request" if pause_s else ""
            return f"closed loop of {clients} client{'s' if clients > 1 else ''}{pause}"
        case Steady(rate_rps=rate, arrivals=arrivals):
            return f"open loop of {rate:g} req/s, {arrivals} arrivals"
        case Bursts(rate_rps=rate, on_s=on_s, off_s=off_s):
            return f"open loop of {rate:g} req/s on average, in bursts: {on_s:g} s on, {off_s:g} s off"
        case Trace(trace=file, speed=speed):
            return f"open loop, arrivals of {file}" + (f" at {speed:g} times their speed" if speed != 1 else "")
        case Ramp(ramp=points):
            rates = " to ".join(f"{rate:g}" for _, rate in points)
            return f"open loop, ramp of {rates} req/s in {points[-1][0]:g} s"
        case MaxRate(start_rps=start, highest_rps=highest, precision=precision, arrivals=arrivals):
            ends = [f"from {start:g}"] if start else []
            ends += [f"up to {highest:g}"] if highest else []
            limits = f", {' '.join(ends)} req/s" if ends else ""
            return f"the highest rate within the SLO, to ±{precision:.0%}, {arrivals} arrivals{limits}"


def _knobs(experiment: Experiment) -> Table:
    baseline, rows = experiment.baseline(), experiment.space.describe()
    conditional = any(condition for *_, condition in rows)
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for heading in ("knob", "values", "baseline", *(["only when"] if conditional else [])):
        table.add_column(heading, overflow="fold")
    for path, kind, text, condition in rows:
        value = value_text(baseline[path]) if path in baseline else ""
        table.add_row(path, f"{kind} {text}", value, *([condition] if conditional else []))
    return table


def _loads(experiment: Experiment) -> dict[str, str]:
    if experiment.is_offline:
        return {"job": f"{experiment.app['import_path']}, step by step in a fresh process for each trial"}
    requests = inputs_text(experiment.workload, experiment.file.parent)
    if not experiment.workloads:
        return {"load": load_text(experiment.load), "requests": requests}
    listed = "; ".join(f"{one.variant}: {load_text(one.load)}" for one in experiment.workloads)
    told = f"{len(experiment.workloads)}, with a study each, and then compared: {listed}"
    return {"workloads": told, "requests": requests}


def estimate(experiment: Experiment) -> str:
    """The shortest and the longest time that the study can be expected to take, or all of the workloads' together."""
    each = [_trials_s(one) for one in experiment.workloads or (experiment,)]
    shortest, longest = (STARTUP_S + sum(seconds) for seconds in zip(*each, strict=True))
    compared = " before the comparison" if experiment.workloads else ""
    return f"{duration(shortest)} to {duration(longest)}{compared} (one trial at a time)"


def _trials_s(experiment: Experiment) -> tuple[float, float]:
    """The shortest and the longest time of all trials and replications."""
    trials, measure = experiment.search.trials + 1, experiment.measure
    again = replications(experiment)
    in_doubt = replications(experiment, in_doubt=bool(experiment.slo.limits()))
    fewest, most = (FEWEST_RATES, MOST_RATES) if experiment.load.max_rate else (1, 1)
    loads, longest_loads = fewest * (measure.warmup_s + measure.min_s), most * (measure.warmup_max_s + measure.max_s)
    in_place_s, replaced_s = (FRESH_S, FRESH_S) if experiment.is_offline else (IN_PLACE_S, REPLACED_S)
    shortest = trials * (loads + in_place_s) + again * (loads + replaced_s)
    return shortest, (trials + in_doubt) * (longest_loads + replaced_s)


def _until(experiment: Experiment) -> str:
    requests = experiment.measure.requests
    at = "at each rate " if experiment.load.max_rate else ""
    if requests is not None:
        return f"{at}until {requests:,} requests have succeeded"
    if experiment.load.max_rate:
        return f"{at}until the SLO is decided"
    return f"until the objective is known to ±{experiment.measure.precision:.0%}"


def _confirm(experiment: Experiment) -> str:
    plan = experiment.confirm
    if not plan.top:
        return "the winner is not measured again"
    if experiment.across:
        best = "the best compromise is" if plan.top == 1 else f"the best {plan.top} compromises are"
        return f"{best} measured {plan.replications} times more under each value of {experiment.across}"
    best = "the best trial" if plan.top == 1 else f"the best {plan.top} trials"
    in_doubt = f", up to {plan.most} times while in doubt of the SLO" if experiment.slo.limits() else ""
    return f"{best} and the baseline are deployed and measured {plan.replications} times more, in turn{in_doubt}"


def _across(experiment: Experiment) -> dict[str, str]:
    """What one configuration is looked for for; whether the search measures all that it takes."""
    if experiment.across is None:
        return {}
    size = experiment.space.size()
    trials = experiment.search.trials + experiment.space.contains(experiment.baseline())
    knob = experiment.space.knobs[experiment.across]
    whole = experiment.search.algorithm == "grid" and size is not None and size <= trials
    doubt = "" if whole else "; only what is measured under all of them counts, and only a whole grid measures all"
    return {"across": f"one configuration for {experiment.across} = {knob.range_text()}{doubt}"}


def _slo(experiment: Experiment) -> str:
    least = experiment.slo.min_accuracy
    limits = {**experiment.slo.limits(), **({} if least is None else {"accuracy": least})}
    return ", ".join(limit_text(name, limit) for name, limit in limits.items()) or "none"


def _prices(experiment: Experiment) -> dict[str, str]:
    """What the file's own config costs; empty where nothing has a price."""
    if experiment.prices is None:
        return {}
    stated = ", ".join(f"{name} {price:g}" for name, price in experiment.prices.model_dump(exclude_none=True).items())
    return {"prices": f"{stated}; the baseline takes {experiment.prices.per_hour(*reserved(experiment.app)):g} an hour"}
