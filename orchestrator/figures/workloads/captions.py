"""The sentences below each figure of several workloads."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.figures.captions import INTERVALS
from orchestrator.figures.workloads.times import shown_times
from orchestrator.names import describe, listing, short_names
from orchestrator.result import BASELINE, Status
from orchestrator.several import Several

NOT_COMPARED = "There was nothing to compare: no workload's study found anything beside the baseline."
AGAIN = "All was measured once more in the comparison."


def on_gains(several: Several) -> Iterator[str]:
    """How the gain is computed, and of which workloads there is none."""
    if not several.compared:
        yield NOT_COMPARED
        return
    yield f"A ratio of two measurements, above 1 is better. {AGAIN} It chose none of these configurations. {INTERVALS}"
    yield (
        "The best at random is the best of what was tried before the algorithm had learnt anything, by its one figure "
        "in the search. Where the algorithm had no such beginning there is no gain over it."
    )


def on_regrets(several: Several) -> Iterator[str]:
    """What regret is, and who is recommended."""
    if not several.compared:
        yield NOT_COMPARED
        return
    yield "By what share the objective's figure is worse than that of the best contender under the same workload."
    robust = several.robust
    if robust is None:
        yield f"Nothing is recommended for all workloads: {several.obstacle}."
        return
    configuration = several.contenders[robust.configuration]
    name = "the baseline" if robust.configuration == BASELINE else f"[{robust.configuration}]"
    yield (
        f"Recommended for all is {name}, {describe(configuration, short_names(configuration))}: on average "
        f"{robust.mean_regret:.1%} worse than the best of each workload, {robust.worst_regret:.1%} at most."
    )


def on_by_load(several: Several) -> Iterator[str]:
    """What the three series are."""
    if not several.compared:
        yield NOT_COMPARED
        return
    yield f"{AGAIN} What is recommended for all was chosen by these figures, the others were not. {INTERVALS}"
    if several.robust is None:
        yield f"Nothing is recommended for all workloads: {several.obstacle}."


def on_times(several: Several) -> Iterator[str]:
    """How the lines are to be read, and which are missing."""
    shown = shown_times(several)
    if not shown:
        yield "No response times to show: nothing was compared, or it was not measured."
        return
    yield (
        "Every line is all requests of a measurement, sorted: half of them took no longer than where the line crosses "
        "50 %. Steps are groups of requests that waited equally long, for so many batches or others before them."
    )
    if missing := [workload for workload in several.compared if workload not in shown]:
        yield f"Not measured, or not to be trusted: {listing(missing)}."


def on_process(several: Several) -> Iterator[str]:
    """What is not in the panels."""
    yield "Each panel has a scale of its own, where figures are far apart a logarithmic one."
    yield from _left_out(several)


def on_spread(several: Several) -> Iterator[str]:
    """How boxes are to be read."""
    yield (
        "A box has half of the trials in it, the line in it is their median; every trial is a point, also where it is "
        "over the SLO. A good search has its box nearer to the good end, and a narrower one."
    )
    without = [w for w, one in several.searched.items() if not 0 < one.random_trials < len(one.study.trials) - 1]
    if without:
        yield f"Only one of the two kinds, or none, was tried under {listing(without)}."
    yield from _left_out(several)


def _left_out(several: Several) -> Iterator[str]:
    odd = {
        workload: sum(trial.status is not Status.COMPLETE for trial in one.study.trials)
        for workload, one in several.searched.items()
    }
    if any(odd.values()):
        parts = [f"{count} of {workload}" for workload, count in odd.items() if count]
        yield f"Not shown are trials that were not measured, or not to be trusted: {listing(parts)}."
