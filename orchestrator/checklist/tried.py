"""What came of each candidate: read from the study in which it was measured. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

from orchestrator.checklist.answer import End, Tried
from orchestrator.checklist.candidates import Candidate
from orchestrator.checklist.gains import Figures, is_out_of_reach, is_shown
from orchestrator.checklist.refusals import is_unknown, names_it
from orchestrator.result import BASELINE, Status, StudyResult, TrialResult

LATE = "not ready within"
"""How it is told that a deadline has passed, of which nobody knows whose fault it was (`orchestrator.serving`)."""

IN_THE_DARK = (
    "the application takes arguments that it does not know without a word, so that nobody can tell whether it takes "
    "`{name}`: if it does, put args.{name} into the file's app"
)
NOT_TAKEN = "the application takes no `{name}`"
TOO_LATE = "the time was over before its turn: give more with --budget"


def tried(
    study: StudyResult, candidates: Mapping[int, Candidate], control: int | None, precision: float
) -> list[Tried]:
    """What came of the candidates, by the numbers of their trials; that of `control` asked for what nobody takes."""
    figures, refusal = figures_of(study), _refusal(study, control)
    every = [_of_one(study, number, one, figures, refusal, precision) for number, one in candidates.items()]
    unknown = {one.candidate.asks for one in every if one.end is End.REFUSED}
    return [_as_unknown(one) if one.end is End.SKIPPED and one.candidate.asks in unknown else one for one in every]


def _as_unknown(one: Tried) -> Tried:
    """Another value of an argument that was refused by its name needs no trial."""
    return replace(one, end=End.REFUSED, why=NOT_TAKEN.format(name=one.candidate.asks))


def runs_of(study: StudyResult, number: int) -> list[TrialResult]:
    """A trial and its replications that were measured, in the order in which they were."""
    again = [run for run in study.replications if run.confirms == number]
    return [*(one for one in study.trials if one.number == number), *again]


def complete(runs: Sequence[TrialResult]) -> list[TrialResult]:
    """Those with figures to trust."""
    return [run for run in runs if run.status is Status.COMPLETE]


def figures_of(study: StudyResult) -> Figures:
    """The objective's figures of everything that was measured; the study's trials are the first round."""
    figures = Figures(study.maximize)
    for run in complete([*study.trials, *study.replications]):
        if run.score is not None:
            number = run.number if run.confirms is None else run.confirms
            round_ = 0 if run.replication is None else run.replication + 1
            figures.add(number, round_, run.score.value, run.score.half_widths[0])
    return figures


def _of_one(
    study: StudyResult,
    number: int,
    candidate: Candidate,
    figures: Figures,
    refusal: str | None,
    precision: float,
) -> Tried:
    runs = runs_of(study, number)
    measured = complete(runs)
    if not runs:
        asked_in_vain = candidate.asks and refusal == ""
        return Tried(candidate, End.SKIPPED, why=IN_THE_DARK.format(name=candidate.asks) if asked_in_vain else TOO_LATE)
    if not measured:
        return _of_failure(candidate, runs[-1], refusal)
    gain = figures.gain(number)
    if gain is None:
        return Tried(candidate, End.BROKEN, why="there is no measurement of the baseline to compare with", trial=number)
    kept, kept_by_baseline = _keep_slo(measured), _keep_slo(complete(runs_of(study, BASELINE)))
    mends = kept and not kept_by_baseline
    if kept_by_baseline and not kept:
        end = End.BREAKS
    elif mends or is_shown(gain, precision):
        end = End.GAIN
    else:
        end = End.NO_GAIN if is_out_of_reach(gain, precision) else End.OPEN
    accuracy = measured[-1].details.get("accuracy", math.nan)
    return Tried(candidate, end, gain, len(measured), accuracy=accuracy, mends=mends, trial=number)


def _keep_slo(runs: Sequence[TrialResult]) -> bool:
    return all(run.score.feasible for run in runs if run.score is not None)


def _of_failure(candidate: Candidate, run: TrialResult, refusal: str | None) -> Tried:
    """Why it gave no figures: the application's refusal, its own words on the value, or something else."""
    why, end = "; ".join(run.reasons), End.BROKEN
    if run.status is Status.FAILED and is_unknown(candidate, why, refusal or ""):
        end, why = End.REFUSED, NOT_TAKEN.format(name=candidate.asks)
    elif _speaks_of_it(run.status, why, candidate):
        end = End.UNAVAILABLE
    return Tried(candidate, end, why=why, trial=run.number if run.confirms is None else run.confirms)


def _speaks_of_it(status: Status, why: str, candidate: Candidate) -> bool:
    """Whether it is said, by the application or by Serve, that this value cannot be had."""
    if status is Status.INFEASIBLE:
        return LATE not in why
    return status is Status.FAILED and names_it(candidate, why)


def _refusal(study: StudyResult, control: int | None) -> str | None:
    """How the application refused what it cannot know: "" if it did not, None if it was not asked."""
    run = study.trial(control)
    if run is None:
        return None
    return "; ".join(run.reasons) if run.status in (Status.FAILED, Status.INFEASIBLE) else ""
