"""What a study's replications say, for the terminal."""

from __future__ import annotations

import math
from collections.abc import Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from orchestrator.names import describe, figure, label, short_names
from orchestrator.result import BASELINE, Candidate, Confirmation, Ratio, StudyResult


def print_confirmation(console: Console, study: StudyResult) -> None:
    """The candidates by their replications, and what is missing of these; nothing where there were none."""
    found = study.confirmation
    if found is None:
        return
    alike = all(one.replications == found.replications for one in found.candidates)
    times = f"{'' if alike else 'up to '}{found.replications} times"
    again = "run" if study.is_offline else "deployed"
    console.print(f"\nthe best trials and the baseline, {again} afresh {times} in turn, with 95 % intervals")
    console.print(_table(found, study.objective))
    for remark in found.remarks:
        console.print(remark, style="dim", markup=False, highlight=False)


def recommendation(study: StudyResult) -> str:
    """ "trials 7 and 12 cannot be told apart; 7 is recommended: fewer replicas", and its knobs below; or empty."""
    found, chosen = study.confirmation, study.recommended
    if found is None or chosen is None or not found.indistinguishable:
        return ""
    name = "the baseline" if chosen.number == BASELINE else f"{chosen.number}"
    alike = f"{_listed(found.indistinguishable)} cannot be told apart; {name} is recommended: {found.reason}"
    return f"{alike}\n{describe(chosen.configuration, short_names(chosen.configuration))}"


def gain_text(study: StudyResult) -> str:
    """ "over the baseline: throughput ×14.2 (13.6–14.9), 99 %; p99 3.12 times shorter (2.9–3.4), 99 %"; or empty."""
    if study.best is study.baseline:
        return ""
    throughput, p99 = study.gain.get("throughput"), study.gain.get("p99")
    parts = []
    if throughput is not None:
        parts.append(f"throughput ×{figure(throughput.value)}{_range(throughput)}")
    if p99 is not None and not study.is_offline:  # steps of different sizes take different times
        parts.append(f"p99 {_times(p99)}")
    doubt = " (not confirmed: one measurement of each)" if study.confirmation is None else ""
    return f"over the baseline: {'; '.join(parts)}{doubt}" if parts else ""


def _table(found: Confirmation, objective: str) -> Table:
    table = Table(box=SIMPLE_HEAD, padding=(0, 1), pad_edge=False, show_edge=False)
    for heading in ("trial", objective, "of the best", "SLO kept"):
        table.add_column(heading, justify="right", no_wrap=True)
    for one in found.candidates:
        style = "bold green" if one.number == found.best else None
        kept = f"{one.kept} of {one.replications}"
        table.add_row(label(one.number), _value(one), _of_best(one.of_best), kept, style=style)
    return table


def _value(one: Candidate) -> str:
    between = f" ({figure(one.interval.lo)} to {figure(one.interval.hi)})" if one.interval else ""
    return figure(one.value) + between


def _of_best(ratio: Ratio | None) -> str:
    return "" if ratio is None else f"{ratio.value:.2f} ({ratio.lo:.2f}–{ratio.hi:.2f})"


def _listed(numbers: Sequence[int]) -> str:
    """ "trials 7 and 12", "trial 7 and the baseline", "trials 3, 7 and 12"."""
    trials = [str(number) for number in sorted(numbers) if number != BASELINE]
    words = [*trials, *(["the baseline"] if BASELINE in numbers else [])]
    return f"trial{'s' if len(trials) > 1 else ''} {', '.join(words[:-1])} and {words[-1]}"


def _range(ratio: Ratio) -> str:
    """ " (13.6–14.9), 99 %"; empty where it is not known."""
    if math.isnan(ratio.confidence):
        return ""
    return f" ({figure(ratio.lo)}–{figure(ratio.hi)}), {100 * ratio.confidence:.0f} %"


def _times(gain: Ratio) -> str:
    if math.isnan(gain.value):
        return "not comparable"
    if gain.value >= 1:
        return f"{figure(gain.value)} times shorter{_range(gain)}"
    longer = Ratio(1 / gain.value, 1 / gain.hi, 1 / gain.lo, gain.confidence)
    return f"{figure(longer.value)} times longer{_range(longer)}"
