"""What the studies of several workloads say together, for the terminal."""

from __future__ import annotations

import math

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

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
        console.print(_standings(several))
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


def _standings(several: Several) -> Table:
    title = "the same configurations under every workload: by how much each is worse than the best one there"
    table = plain_table(title)
    table.add_column("configuration", justify="left")
    for workload in several.compared:
        table.add_column(workload, justify="right")
    for heading in ("mean", "worst", f"in top {TOP}"):
        table.add_column(heading, justify="right")
    names = short_names(path for configuration in several.contenders for path in configuration)
    for one in several.standings:
        regrets = [_regret(several, one, workload) for workload in one.regrets]
        totals = map(share, (one.mean_regret, one.worst_regret))
        what = f"{_name(one.configuration)}  {describe(several.contenders[one.configuration], names)}"
        table.add_row(what, *regrets, *totals, f"{one.top} of {len(several.compared)}")
    return table


def plain_table(title: str | None = None) -> Table:
    """An empty table of text, with a title above."""
    return Table(
        title=title,
        title_justify="left",
        box=SIMPLE_HEAD,
        padding=(0, 1),
        collapse_padding=True,
        pad_edge=False,
        show_edge=False,
    )


def _name(number: int) -> str:
    return "baseline" if number == BASELINE else f"[{number}]"


def _regret(several: Several, one: Standing[int], workload: str) -> str:
    regret = one.regrets[workload]
    return share(regret) if math.isfinite(regret) else several.missing(workload, one.configuration)


def share(regret: float) -> str:
    """A regret as a percentage; a dash where there is none."""
    return f"{regret:.1%}" if math.isfinite(regret) else "–"


def _ratio(ratio: Ratio | None) -> str:
    return "" if ratio is None else f"×{figure(ratio.value)} ({figure(ratio.lo)}–{figure(ratio.hi)})"
