"""What the studies of several workloads say together, for the terminal."""

from __future__ import annotations

import math
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from orchestrator.cli.plain import fits, plain_table, share
from orchestrator.names import describe, figure, short_names
from orchestrator.result import BASELINE, Ratio
from orchestrator.robust import TOP, Standing
from orchestrator.several import Several


def print_several(console: Console, several: Several) -> None:
    """The gain of each workload's winner, the compromises, and the one that is recommended for all."""
    if not several.compared:
        console.print("[bold yellow]Nothing to compare:[/] no workload's study found anything beside the baseline.")
        return
    console.print(_gains(several))
    if several.standings:
        console.print()
        _print_standings(console, several)
    robust = several.robust
    if robust is None:
        console.print(f"[bold yellow]Nothing is recommended for all workloads:[/] {several.obstacle}.", highlight=False)
        return
    configuration = several.contenders[robust.configuration]
    console.print(
        f"\n[bold green]For all workloads:[/] {_name(robust.configuration)}  "
        f"{describe(configuration, short_names(configuration))}\n"
        f"  {share(robust.mean_regret)} worse than the best of each workload on average, "
        f"{share(robust.worst_regret)} at most\n",
        highlight=False,
    )


def _gains(several: Several) -> Table:
    table = plain_table("gain of what is recommended for each workload, measured once more")
    for heading in ("workload", "recommended", "over the baseline", "over the best at random"):
        table.add_column(heading, justify="left" if heading == "workload" else "right")
    for workload, searched in several.searched.items():
        number = several.winner(workload)
        table.add_row(
            workload,
            "none" if number is None else _name(number),
            _ratio(several.gain(workload, several.baseline)),
            _ratio(several.gain(workload, searched.best_of_random)),
        )
    return table


def _print_standings(console: Console, several: Several) -> None:
    """With what the configurations are beside their numbers, or below the table where there is no room."""
    names = short_names(path for configuration in several.contenders for path in configuration)
    numbers = [_name(one.configuration) for one in several.standings]
    described = [describe(several.contenders[one.configuration], names) for one in several.standings]
    whole = [f"{number}  {text}" for number, text in zip(numbers, described, strict=True)]
    table = _standings(several, whole)
    if fits(console, table):
        console.print(table)
        return
    console.print(_standings(several, numbers, narrow=True))
    console.print(*("", *whole), sep="\n", markup=False, highlight=False)


def _standings(several: Several, labels: Sequence[str], narrow: bool = False) -> Table:
    """With a label for each configuration; `narrow` breaks the names of workloads into their words."""
    title = "the same configurations under every workload: by how much each is worse than the best one there"
    table = plain_table(title)
    table.add_column("" if narrow else "configuration", no_wrap=True)
    for workload in several.compared:
        name = workload.replace("-", "-\n").replace("_", "_\n") if narrow else workload
        table.add_column(name, justify="right", overflow="fold")
    for total in ("mean", "worst", f"in top {TOP}"):
        table.add_column(total, justify="right", no_wrap=True)
    for label, one in zip(labels, several.standings, strict=True):
        regrets = [_regret(several, one, workload) for workload in one.regrets]
        totals = map(share, (one.mean_regret, one.worst_regret))
        table.add_row(label, *regrets, *totals, f"{one.top} of {len(several.compared)}")
    return table


def _name(number: int) -> str:
    return "baseline" if number == BASELINE else f"[{number}]"


def _regret(several: Several, one: Standing[int], workload: str) -> str:
    regret = one.regrets[workload]
    return share(regret) if math.isfinite(regret) else several.missing(workload, one.configuration)


def _ratio(ratio: Ratio | None) -> str:
    return "" if ratio is None else f"×{figure(ratio.value)} ({figure(ratio.lo)}–{figure(ratio.hi)})"
