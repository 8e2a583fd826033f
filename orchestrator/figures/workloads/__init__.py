"""What the studies of several workloads teach together, drawn."""

from __future__ import annotations

from orchestrator.figures.page import Section, page
from orchestrator.figures.workloads import captions
from orchestrator.figures.workloads.axis import Axis
from orchestrator.figures.workloads.by_load import by_load_figure
from orchestrator.figures.workloads.gains import gains_figure
from orchestrator.figures.workloads.process import process_figure
from orchestrator.figures.workloads.regrets import regrets_figure
from orchestrator.figures.workloads.spread import spread_figure
from orchestrator.figures.workloads.times import times_figure
from orchestrator.several import Several

__all__ = ["Axis", "workloads_page"]


def workloads_page(name: str, several: Several, axis: Axis) -> str:
    """All figures as one page of HTML; `name` is that of the experiment, `axis` says where its workloads stand.

    A figure for which there is nothing to show is replaced by a sentence that says so.
    """
    sections = (
        Section("gains", gains_figure(several, axis), captions.on_gains(several)),
        Section("regrets", regrets_figure(several), captions.on_regrets(several)),
        Section("by-load", by_load_figure(several, axis), captions.on_by_load(several)),
        Section("times", times_figure(several), captions.on_times(several)),
        Section("process", process_figure(several), captions.on_process(several)),
        Section("spread", spread_figure(several), captions.on_spread(several)),
    )
    return page(f"{name}: what its workloads teach together", sections)
