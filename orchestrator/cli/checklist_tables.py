"""The answers of a checklist in the terminal: a line for each item, and what to do first."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from orchestrator.checklist import Answer, Kind, gain_text, ranked
from orchestrator.experiment import Experiment
from orchestrator.measure.percentile import shown
from orchestrator.names import describe

WIDTH = 160  # letters, of the text in the store

MARKS = {
    Kind.DONE: ("✓", "green"),
    Kind.GAIN: ("▲", "bold green"),
    Kind.DECIDE: ("?", "cyan"),
    Kind.NOT_APPLICABLE: ("–", "dim"),
    Kind.UNCHECKED: ("✗", "yellow"),
}


def checklist_table(answers: Sequence[Answer]) -> Table:
    """A line for each item."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("")
    table.add_column("item", no_wrap=True)
    table.add_column("answer", no_wrap=True)
    table.add_column("finding", overflow="fold")
    for answer in answers:
        mark, style = MARKS[answer.kind]
        table.add_row(
            Text(mark, style=style), answer.item.name, Text(str(answer.kind), style=style), Text(answer.finding)
        )
    return table


def first_lines(experiment: Experiment, answers: Sequence[Answer]) -> list[str]:
    """What to do, the best first."""
    objective = experiment.objective
    of_what = f"{shown(objective.metric)}" + ("" if objective.maximize else ", smaller by so many times")
    lines = []
    for place, answer in enumerate(ranked(answers), 1):
        if answer.gain is None:
            lines.append(f"{place:>3}. {answer.item.name}: {answer.finding}")
        else:
            mends = ", and the SLO is kept" if answer.mends else ""
            lines.append(
                f"{place:>3}. {answer.item.name}: {describe(answer.change, {})}  "
                f"{gain_text(answer.gain)} {of_what}{mends}"
            )
    return lines


def print_checklist(
    console: Console, experiment: Experiment, answers: Sequence[Answer], file: Path | None = None
) -> None:
    """The table, what to do first, and the file that was written, if there is one."""
    console.print(checklist_table(answers))
    lines = first_lines(experiment, answers)
    console.print("[bold]Do this first[/]" if lines else "There is nothing to do: no item promises a gain.")
    for line in lines:
        console.print(line, markup=False, highlight=False)
    console.print("gains are over the file's own configuration, with 95 % intervals", style="dim", highlight=False)
    if file is not None:
        console.print(f"\nSearch it together:  orchestrator run {file}", markup=False, highlight=False)


def checklist_text(experiment: Experiment, answers: Sequence[Answer]) -> str:
    """The same as a text of its own."""
    console = Console(file=io.StringIO(), width=WIDTH, record=True)
    print_checklist(console, experiment, answers)
    return console.export_text()
