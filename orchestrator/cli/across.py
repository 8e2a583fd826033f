"""What one configuration for all values of a knob comes to, for the terminal."""

from __future__ import annotations

import math

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from orchestrator.cli.plain import plain_table, share
from orchestrator.names import describe, figure, listing, plus_minus, short_names
from orchestrator.result import Across, StudyResult
from orchestrator.robust import TOP, Standing, by_top

MOST_ROWS = 20
"""Configurations that a table has: the others are worse compromises."""


def print_across(console: Console, study: StudyResult, found: Across) -> None:
    """The best for each value, the compromises, and the one that is recommended for all."""
    names = _names(found)
    knob = names[found.knob]
    _heading(console, f"the best for each value of {knob}, by {study.objective}")
    console.print(_bests(study, found, names))
    if found.standings:
        _heading(console, f"the same for every {knob}: by how much each configuration is worse than the best one there")
        console.print(_standings(found, names))
        console.print(f"most often in the top {TOP}: {most_often(found)}", highlight=False, markup=False)
    if any(cell.again for of_it in found.cells.values() for cell in of_it.values()):
        console.print(_on_replications(found), style="dim", highlight=False)
    for line in verdict(found).splitlines():
        console.print(line, highlight=False)


def verdict(found: Across) -> str:
    """What is recommended for all values, with its mean and worst regret, or why nothing is; in rich's markup."""
    knob, robust = _names(found)[found.knob], found.robust
    if robust is None:
        return f"\n[bold yellow]Nothing is recommended for all values of {knob}:[/] {found.obstacle}."
    return (
        f"\n[bold green]For all values of {knob}:[/] {escape(recommended(found, robust))}\n"
        f"  {share(robust.mean_regret)}{_margin(found, robust)} worse than the best for each of them on average, "
        f"{share(robust.worst_regret)} at most\n"
    )


def recommended(found: Across, robust: Standing[int]) -> str:
    """ "batch_size=32 workers=2"."""
    return describe(found.configurations[robust.configuration], _names(found))


def most_often(found: Across) -> str:
    """ "batch_size=128 workers=8 (6 of 12), …": the first of those that are counted."""
    first = by_top(found.standings)[:TOP]
    return listing([f"{recommended(found, one)} ({one.top} of {len(found.values)})" for one in first])


def _bests(study: StudyResult, found: Across, names: dict[str, str]) -> Table:
    table = plain_table()
    for heading in (names[found.knob], "configuration"):
        table.add_column(heading)
    table.add_column(study.objective, justify="right")
    for value in found.values:
        number = found.best(value)
        cell = found.cell(value, number) if number is not None else None
        if number is None or cell is None:
            table.add_row(value, "nothing keeps the SLO", "")
            continue
        told = figure(cell.figure) + plus_minus(cell.uncertainty)
        table.add_row(value, describe(found.configurations[number], names), told)
    return table


def _standings(found: Across, names: dict[str, str]) -> Table:
    table = plain_table()
    table.add_column("configuration", overflow="fold")
    for value in found.values:
        table.add_column(value, justify="right", overflow="fold")
    for heading in ("mean", "worst", f"in top {TOP}"):
        table.add_column(heading, justify="right")
    for one in found.standings[:MOST_ROWS]:
        regrets = [_regret(found, one, value) for value in found.values]
        mean = share(one.mean_regret) + _margin(found, one)
        what = describe(found.configurations[one.configuration], names)
        table.add_row(what, *regrets, mean, share(one.worst_regret), f"{one.top} of {len(found.values)}")
    if len(found.standings) > MOST_ROWS:
        table.caption = f"the first {MOST_ROWS} of {len(found.standings):,}; all are in --json"
        table.caption_justify = "left"
    return table


def _heading(console: Console, text: str) -> None:
    """Above a table that may be narrower."""
    console.print(f"\n{text}", markup=False, highlight=False)


def _on_replications(found: Across) -> str:
    times = [len(cell.again) for of_it in found.cells.values() for cell in of_it.values() if cell.again]
    how_often = f"{min(times)}" if min(times) == max(times) else f"{min(times)} to {max(times)}"
    return f"the best compromises were measured {how_often} times more in turn, and count with the mean of these"


def _regret(found: Across, one: Standing[int], value: str) -> str:
    regret = one.regrets[value]
    if math.isfinite(regret):
        return share(regret)
    return "over SLO" if found.cell(value, one.configuration) is not None else "not measured"


def _margin(found: Across, one: Standing[int]) -> str:
    """ " ±0.8%", half of the 95 % interval; empty where it is not known."""
    margin = found.margin(one)
    return f" ±{margin:.1%}" if math.isfinite(margin) else ""


def _names(found: Across) -> dict[str, str]:
    return short_names([found.knob, *(path for one in found.configurations for path in one)])
