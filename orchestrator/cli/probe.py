"""`orchestrator check --probe`: what of a space can run here, and the experiment narrowed to it."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from orchestrator.cli.output import own_output, screen
from orchestrator.cli.run import INTERRUPTED, LOG
from orchestrator.cli.stop import StopSignals
from orchestrator.errors import UsageError
from orchestrator.experiment import ClosedLoop, Experiment, MeasurePlan, read_experiment
from orchestrator.experiment.rewrite import rewritten
from orchestrator.experiment.source import Source
from orchestrator.feasible import Finding, Narrowing, Step, narrow, probe, tightest
from orchestrator.measure.percentile import shown
from orchestrator.names import figure

LONGEST_WARMUP_S, LONGEST_WINDOW_S = 3.0, 10.0
"""Of each load, where the file allows longer ones: a range is looked for, not a winner."""

UNASKED_CLIENTS = 32
"""How many clients are tried where no load of the file says: an open loop has none."""

HEADING = "# Narrowed by `orchestrator check --probe` to what can run on the machine that it was run on:\n"


def probe_command(experiment: Experiment, address: str | None, write: Path | None) -> int:
    """Deploys the baseline, prints what was found and what that changes, writes it; returns the exit code."""
    if write is not None and write.exists():
        raise UsageError(f"{write} exists, and is not overwritten: name a new file")
    chosen, wanted = chosen_for_probe(experiment)
    with own_output(Path.cwd() / LOG) as output:
        console = screen(output.stdout)
        try:
            with StopSignals(lambda: console.print("cleaning up, a few seconds more …")) as stop:
                found = _probe(console, stop, chosen, wanted, address)
        except KeyboardInterrupt:
            console.print("[yellow]Interrupted.[/] Nothing was written, and nothing is left running.")
            return INTERRUPTED
        _print(console, found, wanted)
        propose(console, experiment, found, write)
    return 0


def chosen_for_probe(experiment: Experiment) -> tuple[Experiment, int]:
    """The workload with the most clients, with short loads; and how many clients those are."""

    def clients(one: Experiment) -> int:
        traffic = one.load.traffic
        return traffic.concurrency if isinstance(traffic, ClosedLoop) else 0

    most = max(experiment.workloads or (experiment,), key=clients)
    return most.model_copy(update={"measure": shortened(most.measure)}), clients(most) or UNASKED_CLIENTS


def shortened(measure: MeasurePlan) -> MeasurePlan:
    """The same with shorter loads, where the file allows longer ones."""
    window_s, warmup_s = min(measure.max_s, LONGEST_WINDOW_S), min(measure.warmup_max_s, LONGEST_WARMUP_S)
    short = {
        "warmup_s": min(measure.warmup_s, warmup_s),
        "warmup_max_s": warmup_s,
        "min_s": min(measure.min_s, window_s),
        "max_s": window_s,
        "requests": None,
    }
    return measure.model_copy(update=short)


def _probe(console: Console, stop: StopSignals, chosen: Experiment, wanted: int, address: str | None) -> Finding:
    console.print()
    with console.status("starting a Ray cluster …" if address is None else f"connecting to {address} …") as status:
        from orchestrator.cluster import open_cluster  # slow; and Ray must not come before the cluster's environment
        from orchestrator.workload.precheck import check_payloads

        check_payloads(chosen.workload, chosen.file.parent, chosen.load.items_per_request)
        with open_cluster(address, chosen.cluster.data_plane, chosen.cluster.num_cpus) as cluster:
            stop.arm()
            from orchestrator.backend.probing import probe_site

            def on_ready(seconds: float) -> None:
                under = f", under the workload {chosen.variant}" if chosen.variant else ""
                console.print(f"[bold]probe[/]: the baseline is ready after {seconds:.1f} s{under}", highlight=False)
                status.update("1 client …")

            def on_step(step: Step) -> None:
                console.print(f"  {_line(step)}", highlight=False)
                status.update("more clients …")

            try:
                status.update("starting Ray Serve …")
                with probe_site(cluster, chosen) as site:
                    status.update("deploying the baseline …")
                    return probe(site, wanted, on_ready, on_step)
            finally:
                status.update("stopping Ray Serve and the cluster …")


def _line(step: Step) -> str:
    clients = f"{step.clients} client{'s' if step.clients > 1 else ''}"
    return f"{clients}: {figure(step.throughput_rps, ' req/s')}" + (f", but {step.broken}" if step.broken else "")


def _print(console: Console, found: Finding, wanted: int) -> None:
    console.print(_climbed(found))
    for name, need in found.needs.items():
        console.print(
            f"one replica of [bold]{name}[/] takes {need.memory_mib:,.0f} MiB, and {need.cores:.2g} cores at most",
            highlight=False,
        )
        console.print(_limits(found, name))
    end = found.sustained
    most = "no client" if not end.clients else f"{end.clients} client{'s' if end.clients > 1 else ''}"
    console.print(f"[bold]{most}[/] sustained by the baseline: {end.why}", highlight=False)
    if end.clients < wanted:
        console.print(
            f"the file asks for {wanted}: the baseline does not keep its promise there, others may", style="yellow"
        )


def _climbed(found: Finding) -> Table:
    names = [name for name in ("latency_mean_ms", "latency_p90_ms", "latency_p99_ms") if name in found.steps[0].figures]
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for heading in ("clients", "req/s", *(f"{shown(name)}, ms" for name in names), "failed"):
        table.add_column(heading, justify="right")
    table.add_column("sustained")
    for step in found.steps:
        figures = [figure(step.figures.get(name)) for name in names]
        failed = f"{step.figures.get('error_ratio', 0):.1%}"
        word = "[red]no[/]" if step.broken else "yes"
        table.add_row(str(step.clients), figure(step.throughput_rps), *figures, failed, word)
    return table


def _limits(found: Finding, name: str) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("replicas that fit", justify="right")
    table.add_column("by")
    table.add_column("because", overflow="fold")
    least = tightest(found.limits[name])
    for bound in sorted(found.limits[name], key=lambda bound: bound.most):
        style = "bold" if bound is least else None
        table.add_row("any" if bound.most == float("inf") else f"{bound.most:,.0f}", bound.what, bound.why, style=style)
    return table


def propose(console: Console, experiment: Experiment, found: Finding, write: Path | None) -> None:
    """Prints the changed lines, and writes the narrowed experiment where it was asked for."""
    narrowing = narrow(Source(experiment.text).value["space"], found.caps())
    for sentence in narrowing.impossible:
        console.print(sentence, style="yellow", highlight=False, markup=False)
    text = narrowed_text(experiment.text, narrowing)
    if not narrowing.changes:
        console.print("\nall of the space can run: nothing is narrowed")
    for line in _changed_lines(experiment.text, text):
        console.print(line, style="green" if line[0] == "+" else "red", highlight=False, markup=False)
    if write is not None:
        read_experiment(text, write)  # relative files are looked for beside it
        write.write_text(text, encoding="utf-8")
        console.print(f"written: {write}; next: orchestrator run {write}", highlight=False)
    elif narrowing.changes:
        console.print(
            f"\nto keep it: orchestrator check {experiment.file.name} --probe --write NEW.yaml", highlight=False
        )


def narrowed_text(text: str, narrowing: Narrowing) -> str:
    """The file's text with the changes in it, and above it a comment for each with the reason."""
    if not narrowing.changes:
        return text
    reasons = [
        f"# {change.path}: {list(change.before)} became {list(change.after)}, for {change.why}\n"
        for change in narrowing.changes
    ]
    lists = {change.place: (change.before, change.after) for change in narrowing.changes}
    return "".join([HEADING, *reasons, rewritten(text, lists)])


def _changed_lines(before: str, after: str) -> Iterator[str]:
    for line in difflib.unified_diff(before.splitlines(), after.splitlines(), n=0, lineterm=""):
        if line[0] in "+-" and not line.startswith(("+++", "---")):
            yield line
