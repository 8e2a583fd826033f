"""What the replications of a study say: who is the best, by how much, and who cannot be told from it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from orchestrator.confirmation.runs import Fitted, Runs, objective, p99, throughput
from orchestrator.confirmation.simplicity import simpler, simplicity
from orchestrator.measure.blocks import each_of, typical
from orchestrator.measure.compare import Comparison
from orchestrator.result import BASELINE, Candidate, Confirmation, Ratio, StudyResult

GAIN_CONFIDENCE = 0.99
"""Of the gain over the baseline. It holds for all candidates at once, and so for the one that came out best."""

ALIKE_CONFIDENCE = 0.95
"""With which a candidate that is told from the best is worse."""

ALIKE = 0.02
"""A candidate that is worse by at most this share is as good as the best."""


def confirmed(study: StudyResult) -> StudyResult:
    """The study with what its replications say; as it is where they are too few to say anything.

    Those of a study `across` a knob compare what is the same but for that, and count there: there is no one winner.
    """
    return replace(study, confirmation=_conclusion(study)) if study.replications and not study.across else study


def _conclusion(study: StudyResult) -> Confirmation | None:
    runs = Runs.of(study)
    fitted = Fitted.of(runs, objective)
    if not fitted.numbers and any(runs.kept_always(number) for number in runs.numbers if number != BASELINE):
        return None
    ranking = _ranking(runs, fitted, study.maximize)
    best = ranking[0] if ranking[0] in fitted.numbers and runs.kept_always(ranking[0]) else None
    alike = [] if best is None else _alike(runs, fitted, study.maximize, ranking, best)
    recommended, reason = _simplest(study, alike) if alike else (best, "")
    return Confirmation(
        candidates=tuple(_candidate(runs, fitted, number, best) for number in ranking),
        replications=runs.blocks,
        best=best,
        indistinguishable=tuple(alike),
        recommended=recommended,
        reason=reason,
        gain={} if best is None else dict(_gains(runs, best)),
        remarks=tuple(_remarks(runs)),
    )


def _ranking(runs: Runs, fitted: Fitted, maximize: bool) -> list[int]:
    """All candidates, the best first: those that kept the SLO every time, and of them those shown to."""

    def key(number: int) -> tuple[bool, bool, bool, float]:
        level = fitted.level(number) if number in fitted.numbers else -math.inf
        return (
            number not in fitted.numbers,
            not runs.kept_always(number),
            not runs.shown(number),
            -level if maximize else level,
        )

    return sorted(runs.numbers, key=key)


def _alike(runs: Runs, fitted: Fitted, maximize: bool, ranking: Sequence[int], best: int) -> list[int]:
    """The best and those that cannot be told from it, or nobody.

    A candidate is told from the best where it is shown to be worse by more than ALIKE: a one-sided comparison, of which
    there are as many as rivals. So the best in truth is among those that are left with ALIKE_CONFIDENCE. Source:
    S. S. Gupta, On some multiple decision (selection and ranking) rules, Technometrics 7 (1965), with Bonferroni's
    inequality for the critical value.
    """
    rivals = [
        number
        for number in ranking
        if number != best
        and number in fitted.numbers
        and runs.kept_always(number)
        and runs.shown(number) == runs.shown(best)
    ]
    one_sided = 2 * each_of(len(rivals), ALIKE_CONFIDENCE) - 1

    def is_told(number: int) -> bool:
        more, less = (best, number) if maximize else (number, best)
        return fitted.ratio(more, less, one_sided).interval.lo > 1 + ALIKE

    left = [number for number in rivals if not is_told(number)]
    return [best, *left] if left else []


def _simplest(study: StudyResult, alike: Sequence[int]) -> tuple[int, str]:
    """The simplest of them, of equals the best, and in what it is simpler than the next."""
    trials = {number: study.trial(number) for number in alike}
    how = {number: simplicity(trial.export_config if trial else {}) for number, trial in trials.items()}
    first, second, *_ = sorted(alike, key=how.__getitem__)
    return first, simpler(how[first], how[second]) or "none is simpler, and its figures are the best"


def _gains(runs: Runs, best: int) -> Iterator[tuple[str, Ratio]]:
    for name, figure in (("throughput", throughput), ("p99", p99)):
        fitted = Fitted.of(runs, figure)
        if not {best, BASELINE} <= set(fitted.numbers):
            continue
        more, less = (best, BASELINE) if figure is throughput else (BASELINE, best)
        each = each_of(len(fitted.numbers) - 1, GAIN_CONFIDENCE)
        yield name, _as_ratio(fitted.ratio(more, less, each), GAIN_CONFIDENCE)


def _candidate(runs: Runs, fitted: Fitted, number: int, best: int | None) -> Candidate:
    every = runs.figures(number, objective)
    figures = every[np.isfinite(every)]
    value, interval = typical(figures) if len(figures) else (math.nan, None)
    of_best = None
    if best is not None and number != best and number in fitted.numbers:
        of_best = _as_ratio(fitted.ratio(number, best, ALIKE_CONFIDENCE), ALIKE_CONFIDENCE)
    return Candidate(
        number=number,
        replications=len(runs.complete[number]),
        kept=runs.kept(number),
        shown=runs.shown(number),
        value=value,
        interval=interval,
        of_best=of_best,
    )


def _as_ratio(found: Comparison, confidence: float) -> Ratio:
    return Ratio(found.ratio, found.interval.lo, found.interval.hi, confidence)


def _remarks(runs: Runs) -> Iterator[str]:
    """Of replications that are missing because they could not be measured."""
    for number in runs.numbers:
        given_up = [run for block, run in runs.lost[number].items() if block not in runs.complete[number]]
        if given_up:
            who = "the baseline" if number == BASELINE else f"trial {number}"
            complete = len(runs.complete[number])
            count = f"{complete} of {complete + len(given_up)}"
            yield f"{who} has {count} replications: {'; '.join(given_up[-1].reasons)}"
