"""What several workloads came to, kept in the store: documents, figures, and the compromise to deploy."""

from __future__ import annotations

import io

from rich.console import Console

from orchestrator.cli.export import compromise
from orchestrator.cli.several import print_several
from orchestrator.experiment import Experiment, row_of
from orchestrator.figures import PAGE
from orchestrator.figures.workloads import Axis, workloads_page
from orchestrator.names import describe, figure, short_names
from orchestrator.several import Several
from orchestrator.tracking.port import Tracker

TABLES, WINNER = "comparison.txt", "winner.yaml"
NOTHING = "no study found anything beside the baseline"
WIDTH = 160  # characters of the tables: wide enough for some workloads, and there is no terminal to fit


def keep_comparison(several: Several, experiment: Experiment, tracker: Tracker) -> str:
    """Draws the figures of an experiment's workloads and keeps all that was found; returns the comparison's id."""
    row = row_of([one for one in experiment.workloads if one.variant in several.searched])
    pages = {
        PAGE: workloads_page(experiment.name, several, Axis(*row) if row else Axis()),
        TABLES: _tables(several),
    }
    if several.robust is not None:
        pages[WINNER] = compromise(several, experiment.name)
    return tracker.add_comparison(experiment.name, several, pages, description(several))


def description(several: Several) -> str:
    """The outcome as Markdown, for the head of its page in MLflow."""
    lines = [_robust(several)]
    for workload in several.searched:
        over = several.gain(workload, several.baseline)
        if over is not None and several.winner(workload):
            lines.append(f"`{workload}`: ×{figure(over.value)} ({figure(over.lo)}–{figure(over.hi)}) over the baseline")
    lines.append(f"Figures: `{PAGE}`, tables: `{TABLES}`, among the artifacts.")
    return "\n\n".join(lines)


def _robust(several: Several) -> str:
    robust = several.robust
    if robust is None:
        return f"**Nothing is recommended for all workloads:** {several.obstacle if several.compared else NOTHING}."
    configuration = several.contenders[robust.configuration]
    return (
        f"**For all workloads: `{describe(configuration, short_names(configuration))}`**, on average "
        f"{robust.mean_regret:.1%} worse than the best of each workload, {robust.worst_regret:.1%} at most"
    )


def _tables(several: Several) -> str:
    console = Console(file=io.StringIO(), width=WIDTH, record=True)
    print_several(console, several)
    return console.export_text()
