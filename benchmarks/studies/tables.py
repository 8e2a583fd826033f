"""The kinds of tables that a page may ask for: pure functions of stored studies. Every one is Markdown."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping

import numpy as np

from benchmarks.studies import offline
from benchmarks.studies.figures import cell, heading, knobs, ratio, with_interval
from benchmarks.studies.page import Wanted, markdown
from orchestrator.confirmation.runs import Figure, Runs
from orchestrator.measure.blocks import Blocks, typical
from orchestrator.measure.outcomes import WORDS
from orchestrator.measure.race import BEATEN
from orchestrator.measure.samples import Outcome
from orchestrator.measure.verdict import Verdict
from orchestrator.names import figure, label, short_names
from orchestrator.plain import identity
from orchestrator.result import BASELINE, Ratio, Status, StudyResult, TrialResult, best_of
from orchestrator.several import Searched, Several

Studies = Mapping[str, StudyResult]
"""By workload, by "" where an experiment has one load alone; what was compared has COMPARED at its end."""

COMPARED = ".compared"

CONFIRMED = ("items_per_s", "latency_mean_ms", "latency_p99_ms")
CONFIDENCE = 0.95
ENDED = {Verdict.PASS: "SLO kept", Verdict.FAIL: "SLO broken", Verdict.UNDECIDED: "undecided"}
OUTRUN = "worse beyond doubt"
JUDGED = (ENDED[Verdict.PASS], ENDED[Verdict.FAIL], OUTRUN, str(Status.INFEASIBLE))
ENDINGS = (
    ENDED[Verdict.PASS],
    ENDED[Verdict.FAIL],
    OUTRUN,
    ENDED[Verdict.UNDECIDED],
    *(str(status) for status in Status if status is not Status.COMPLETE),
)
SHARES = (0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99)


def trials(studies: Studies, wanted: Wanted) -> str:
    """| knobs | metrics: a row for each configuration, in the order of the knobs' values.

    Of one that was measured more than once, the first trial that can be trusted.
    """
    paths, shown = wanted.arguments
    first: dict[str, TrialResult] = {}
    for trial in sorted(only(studies, wanted).trials, key=lambda trial: trial.status is not Status.COMPLETE):
        first.setdefault(identity(trial.configuration), trial)
    ordered = sorted(first.values(), key=lambda trial: [_key(trial.configuration.get(path)) for path in paths])
    rows = [[*knobs(trial.configuration, paths), *(cell(trial, metric) for metric in shown)] for trial in ordered]
    return markdown([heading(name) for name in (*paths, *shown)], rows)


def sampled(studies: Studies, wanted: Wanted) -> str:
    """| knobs | metrics | how many: so many trials of each workload, the first after the baseline."""
    paths, shown, (count,) = wanted.arguments
    rows = [
        [workload, *knobs(trial.configuration, paths), *(cell(trial, metric) for metric in shown)]
        for workload, study in studies.items()
        for trial in study.trials
        if BASELINE < trial.number <= int(count)
    ]
    return markdown(["workload", *map(heading, (*paths, *shown))], rows)


def grid(studies: Studies, wanted: Wanted) -> str:
    """| rows' knob, columns' knob | metric: the best trial of each pair of values."""
    (down, across), (metric,) = wanted.arguments
    study = only(studies, wanted)
    rows, columns = (_values(study, path) for path in (down, across))

    def at(row: object, column: object) -> TrialResult | None:
        there = [t for t in study.trials if (t.configuration.get(down), t.configuration.get(across)) == (row, column)]
        return best_of(there, study.maximize) or next(iter(there), None)

    body = [[_text(row), *(cell(at(row, column), metric) for column in columns)] for row in rows]
    headings = [f"{heading(down)} \\ {heading(across)}", *map(_text, columns)]
    return f"{heading(metric)}:\n\n{markdown(headings, body)}"


def outcome(studies: Studies, wanted: Wanted) -> str:
    """The baseline and the confirmed winner, deployed afresh in turn, and the ratio of each of their figures."""
    parts = []
    for workload, study in studies.items():
        best = study.best
        if best is None or study.baseline is None:
            parts.append(f"{workload} no configuration is shown to keep the SLO.".strip())
            continue
        names = short_names(best.configuration)
        rows = [
            [names[p], *knobs(study.baseline.configuration, [p]), *knobs(best.configuration, [p]), ""] for p in names
        ]
        runs = Runs.of(study) if study.replications else None
        for metric in CONFIRMED:
            rows.append([heading(metric), *_before_and_after(study, best, runs, metric)])
        parts.append(markdown([workload, "before", "after", "after / before"], rows))
    return "\n\n".join(parts)


def workloads(studies: Studies, wanted: Wanted) -> str:
    """| metrics: of the baseline and of what is recommended, a row for each workload."""
    (shown,) = wanted.arguments
    rows = []
    for workload, study in studies.items():
        best = study.recommended
        pairs = [cell(trial, metric) for metric in shown for trial in (study.baseline, best)]
        rows.append([workload, label(best.number) if best else "none", *pairs])
    pairs = [f"{heading(metric)}: {which}" for metric in shown for which in ("baseline", "recommended")]
    return markdown(["workload", "recommended trial", *pairs], rows)


def search(studies: Studies, wanted: Wanted) -> str:
    """| how many trials were drawn at random: the best of those against the best of all, and the spread of both."""
    count = int(wanted.arguments[0][0])
    rows = []
    for workload, study in studies.items():
        scored = [trial for trial in study.trials if trial.score is not None and trial.number != BASELINE]
        parts = [[t for t in scored if t.number <= count], [t for t in scored if t.number > count]]
        bests = [best_of(part, study.maximize) for part in parts]
        gain = _single(bests[1], bests[0], study) if all(bests) else None
        rows.append([workload, *map(_box, parts), *(cell(best, study.objective) for best in bests), ratio(gain)])
    what = ("at random: quartiles", "by model: quartiles", "best at random", "best by model", "gain of the model")
    return markdown(["workload", *what], rows)


def gain(studies: Studies, wanted: Wanted) -> str:
    """| how many trials were drawn at random: what is recommended over the baseline and over the best of those.

    By the comparison, in which all of them were measured once more under every workload.
    """
    count = int(wanted.arguments[0][0])
    compared = {name.removesuffix(COMPARED): study for name, study in studies.items() if name.endswith(COMPARED)}
    searched = {name: Searched(studies[name], count) for name in studies if name in compared}
    if not searched:
        return "_There was no comparison._"
    contenders = tuple(trial.configuration for trial in next(iter(compared.values())).trials)
    several = Several(searched, contenders, compared)
    rows = [
        [name, ratio(several.gain(name, several.baseline)), ratio(several.gain(name, one.best_of_random))]
        for name, one in searched.items()
    ]
    return markdown(["workload", "over the baseline", "over the best at random"], rows)


def sorted_times(studies: Studies, wanted: Wanted) -> str:
    """Response times of the recommended configuration, sorted: what share of the requests was answered by then."""
    rows = []
    for workload, study in studies.items():
        times = getattr(study.recommended, "sorted_ms", ()) if study.recommended else ()
        rows.append([workload, *(figure(float(np.quantile(times, share))) if times else "–" for share in SHARES)])
    return markdown(["workload", *(f"{share:.0%}, ms" for share in SHARES)], rows)


def verdicts(studies: Studies, wanted: Wanted) -> str:
    """How many trials of each workload ended with a verdict, and why the others did not."""
    rows = []
    for workload, study in studies.items():
        ended = Counter(map(_ending, study.trials))
        judged = sum(map(_is_judged, study.trials))
        reasons = Counter(t.reasons[0] for t in study.trials if t.status is not Status.COMPLETE and t.reasons)
        told = "; ".join(f"{count} × {reason}" for reason, count in reasons.most_common(3))
        share = f"{judged} of {len(study.trials)} ({judged / len(study.trials):.0%})"
        late = str(sum(map(_timed_out, study.trials)))
        rows.append([workload, share, *(str(ended[ending]) for ending in ENDINGS), late, told.replace("|", "/")])
    return markdown(["workload", "with a verdict", *ENDINGS, "with time-outs", "why not"], rows)


KINDS: dict[str, Callable[[Studies, Wanted], str]] = {
    "trials": trials,
    "sampled": sampled,
    "grid": grid,
    "outcome": outcome,
    "workloads": workloads,
    "search": search,
    "gain": gain,
    "sorted": sorted_times,
    "verdicts": verdicts,
    "batches": offline.batches,
    "normalised": offline.normalised,
    "sufficient": offline.sufficient,
}


def _ending(trial: TrialResult) -> str:
    """One of ENDINGS."""
    if trial.status is not Status.COMPLETE:
        return str(trial.status)
    if trial.verdict is Verdict.UNDECIDED and BEATEN in trial.reasons:
        return OUTRUN
    return ENDED[trial.verdict] if trial.verdict is not None else str(trial.status)


def _timed_out(trial: TrialResult) -> bool:
    """Whether a request of the window ended because its client waited no longer."""
    return any(WORDS[Outcome.TIMEOUT] in reason for reason in trial.reasons)


def _is_judged(trial: TrialResult) -> bool:
    """Every limit was passed or failed, or it cannot win or be had, for a known reason; time-outs decide nothing."""
    return _ending(trial) in JUDGED and not _timed_out(trial)


def _before_and_after(study: StudyResult, best: TrialResult, runs: Runs | None, metric: str) -> list[str]:
    """Both figures and their ratio: of the replications, in blocks, or of single measurements where there are none."""
    if runs is None:
        before, after = (cell(trial, metric) for trial in (study.baseline, best))
        return [before, after, ""]
    of_metric: Figure = lambda run: getattr(run.measurement, metric, math.nan)  # noqa: E731 (a figure by its name)
    figures = {number: runs.figures(number, of_metric) for number in runs.numbers}
    texts = []
    for number in (BASELINE, best.number):
        seen = figures[number][np.isfinite(figures[number])]
        value, interval = typical(seen) if len(seen) else (math.nan, None)
        texts.append(with_interval(value, *((interval.lo, interval.hi) if interval else (None, None))))
    blocks = Blocks.fit(np.array([figures[number] for number in runs.numbers]))
    if blocks is None:
        return [*texts, ""]
    found = blocks.ratio(runs.numbers.index(best.number), runs.numbers.index(BASELINE), CONFIDENCE)
    return [*texts, f"×{with_interval(found.ratio, found.interval.lo, found.interval.hi)}"]


def _single(one: TrialResult, other: TrialResult, study: StudyResult) -> Ratio:
    more, less = (one, other) if study.maximize else (other, one)
    return Ratio(more.score.value / less.score.value)


def _box(part: list[TrialResult]) -> str:
    if not part:
        return "–"
    low, middle, high = np.quantile([trial.score.value for trial in part], (0.25, 0.5, 0.75))
    return f"{figure(low)} / {figure(middle)} / {figure(high)} of {len(part)}"


def _values(study: StudyResult, path: str) -> list[object]:
    return sorted({trial.configuration[path] for trial in study.trials if path in trial.configuration}, key=_key)


def _key(value: object) -> tuple[bool, float, str]:
    number = isinstance(value, (int, float))
    return (not number, float(value) if number else 0.0, str(value))


def _text(value: object) -> str:
    return knobs({"": value})[0]


def only(studies: Studies, wanted: Wanted) -> StudyResult:
    """The study of an experiment that has one alone; ends the command where it has several."""
    if len(studies) != 1:
        raise SystemExit(f"{wanted.kind} {wanted.experiment}: name one of {', '.join(studies)} as experiment:workload")
    return next(iter(studies.values()))
