"""What a study teaches, drawn: plotly figures on a page that can be opened anywhere, without a network."""

from __future__ import annotations

from collections.abc import Mapping

from orchestrator.figures.across import across_sections
from orchestrator.figures.batches import batches_figure, normalised_figure, on_batches
from orchestrator.figures.breakdown import breakdown_figure
from orchestrator.figures.captions import on_convergence, on_heat, on_times, on_tradeoff
from orchestrator.figures.convergence import convergence_figure
from orchestrator.figures.heat import heat_figure
from orchestrator.figures.page import Section, page
from orchestrator.figures.sensitivity import sensitivity_figure
from orchestrator.figures.tradeoff import tradeoff_figure
from orchestrator.figures.words import hovering
from orchestrator.insight import Insight
from orchestrator.names import short_names

PAGE = "figures.html"


def study_figures(
    insight: Insight, limits: Mapping[str, float], pruned: Mapping[str, int] | None = None
) -> dict[str, str]:
    """{file name: HTML}: one page with all figures, for plotly.js in each of six files would be 29 MB.

    `limits` are those of the SLO by figure (`Slo.limits()`); `pruned` counts configurations that were never deployed,
    by the reason. A figure for which the study has nothing to show is replaced by a sentence that says so.
    """
    study = insight.study
    names = short_names(path for trial in study.trials for path in trial.configuration)
    hover = hovering(study, names, (study.objective, "throughput_rps", "latency_p99_ms"))
    for_all = across_sections(study.compromise, study.objective) if study.compromise else ()
    of_all = (
        Section("convergence", convergence_figure(insight, limits, hover), on_convergence(insight, pruned or {})),
        Section("sensitivity", sensitivity_figure(insight), [insight.sensitivity.sentence]),
        Section("heat-map", heat_figure(insight, hover), on_heat(insight)),
    )
    if study.is_offline:
        curves = insight.batches
        own = (
            Section("batches", batches_figure(curves, hover), on_batches(curves)),
            Section("batches-normalised", normalised_figure(curves, hover), ()),
        )
        return {PAGE: page(f"{study.name}: what the study teaches", (*for_all, *own, *of_all))}
    sections = (
        *for_all,
        of_all[0],
        Section("tradeoff", tradeoff_figure(insight, limits, hover), on_tradeoff(insight)),
        *of_all[1:],
        Section("breakdown", breakdown_figure(insight, limits, names, hover), on_times(insight, names.values())),
    )
    return {PAGE: page(f"{study.name}: what the study teaches", sections)}
