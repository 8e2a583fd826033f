"""Where the time of a trial's requests went, as a table for the terminal."""

from __future__ import annotations

from rich.box import SIMPLE_HEAD
from rich.table import Table

from orchestrator.document import metrics
from orchestrator.names import PARTS, figure
from orchestrator.result import TrialResult

LISTED = 6
"""Batch sizes that are shown, the most frequent ones."""


def batches_line(trial: TrialResult) -> str:
    """ "batches: 412 of 16, 33 of 8, … (87% full)"; empty where the application does not tell."""
    frequent = sorted(trial.batches.items(), key=lambda item: -item[1])
    if not frequent:
        return ""
    listed = [f"{count:,.0f} of {size}" for size, count in frequent[:LISTED]] + ["…"] * (len(frequent) > LISTED)
    fill = trial.details.get("batch_fill")
    return f"batches: {', '.join(listed)}" + ("" if fill is None else f" ({fill:.0%} full)")


def padding_line(trial: TrialResult) -> str:
    """ "padding: 0.42 places for each token"; empty where items do not differ in length."""
    waste = trial.details.get("padding_waste")
    return "" if waste is None else f"padding: {figure(waste)} places for each token"


def accuracy_line(trial: TrialResult) -> str:
    """ "accuracy, as the application tells it: 0.9987"; empty where it tells none, or that nothing is lost."""
    told = trial.details.get("accuracy", 1.0)
    return "" if told == 1 else f"accuracy, as the application tells it: {told:.4f}"


def breakdown_table(trial: TrialResult) -> Table | None:
    """The parts of the response time, of all requests and of the slowest 1 %; None where they are not known."""
    values = metrics(trial)
    parts = {name: words for name, words in PARTS.items() if f"{name}_share" in values}
    if not parts:
        return None
    table = Table(box=SIMPLE_HEAD, padding=(0, 1), pad_edge=False)
    table.add_column("where the time went")
    for heading in ("mean, ms", "share", f"slowest {values.get('tail_requests', 0):,.0f}, ms", "share"):
        table.add_column(heading, justify="right")
    for name, words in parts.items():
        share, tail_share = values[f"{name}_share"], values.get(f"{name}_share_tail")
        table.add_row(
            words,
            figure(share * values.get("latency_mean_ms", float("nan"))),
            f"{share:.0%}",
            figure(values.get(f"{name}_ms_tail")),
            "" if tail_share is None else f"{tail_share:.0%}",
        )
    return table
