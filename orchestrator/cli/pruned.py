"""What of a space is pruned before anything is deployed, as `orchestrator check` shows it."""

from __future__ import annotations

from rich.console import Console
from rich.padding import Padding
from rich.table import Table

from orchestrator.pruning import Census, Pruning, census

HEADING = f"{'pruning:':<11}"


def print_pruned(console: Console, pruning: Pruning, looked_at: str) -> None:
    """Prints how much is left out and why, an example of each reason, and if a rule speaks against the baseline.

    `looked_at` says in words which resources the rules know.
    """
    found = census(pruning)
    console.print(HEADING + _share_of(found), highlight=False)
    lines = Table(box=None, padding=(0, 2, 0, 0), show_header=False)
    lines.add_column(justify="right", no_wrap=True)
    lines.add_column(overflow="fold")
    for reason, case in sorted(found.cases.items(), key=lambda entry: -entry[1].count):
        lines.add_row(_figure(case.count, found), f"{reason}, for example: {case.example}")
    baseline = pruning.experiment.baseline()
    if pruning.prune(baseline) and (finding := pruning.finding(baseline)):
        lines.add_row("baseline", f"{finding.reason}, but measured all the same: {finding.sentence}")
    lines.add_row("", looked_at)
    console.print(Padding(lines, (0, 0, 0, len(HEADING))), highlight=False)


def _share_of(found: Census) -> str:
    if not found.pruned:
        return f"nothing{'' if found.exact else f', in {found.seen:,} random configurations'}"
    if found.exact:
        left = found.seen - found.pruned
        return f"{found.pruned:,} of {found.seen:,} configurations are not deployed, {left or 'none'} left"
    share = _figure(found.pruned, found)
    return f"{share} of the space is not deployed, estimated from {found.seen:,} random configurations"


def _figure(count: int, found: Census) -> str:
    return f"{count:,}" if found.exact else f"about {count / found.seen:.0%}"
