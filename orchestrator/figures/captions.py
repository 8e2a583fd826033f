"""The sentences below each figure: what it says, how it is to be read, and what is not in it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from orchestrator.figures.breakdown import MOST
from orchestrator.figures.style import MOST_DRAWN
from orchestrator.figures.words import label_of, name_of, unit_of
from orchestrator.insight import Insight, read
from orchestrator.names import figure, listing
from orchestrator.result import Status, StudyResult

INTERVALS = "Lines through the marks are 95% confidence intervals."


def on_convergence(insight: Insight, pruned: Mapping[str, int]) -> Iterator[str]:
    """What was found, after how many trials, and what became of the others."""
    study = insight.study
    yield _on_best(study)
    if study.confirmation is not None:
        yield "Which trial is the best was decided after the search, by measuring the best of it again."
    yield INTERVALS + _on_sample(len(study.trials))
    counts = Counter(trial.status for trial in study.trials)
    odd = [f"{count} {status}" for status, count in counts.items() if status is not Status.COMPLETE]
    if odd:
        yield f"Of {len(study.trials)} trials {listing(odd)}; point at them for the reasons."
    if pruned:
        reasons = [f"{count} × {reason}" for reason, count in pruned.items()]
        yield f"Never deployed, by Serve's own rules: {listing(reasons)}."


def on_tradeoff(insight: Insight) -> Iterator[str]:
    """Which trials are on the front."""
    seen = insight.tradeoff
    if not seen.points:
        yield f"No COMPLETE trial has both {name_of(seen.y.metric)} and {name_of(seen.x.metric)}."
        return
    front = listing([label_of(point.trial) for point in seen.front])
    yield f"On the Pareto front, where no other trial is better in one figure and worse in none: {front}. {INTERVALS}"
    yield "It goes by the measured figures: where intervals overlap, another measurement may order trials otherwise."


def on_heat(insight: Insight) -> Iterator[str]:
    """The flat region, and which trials have no place on the map."""
    if insight.flat is not None:
        yield insight.flat.sentence
    else:
        yield "No flat region: there is no best trial within the SLO and the space."
    if insight.heat is None:
        yield "No map: fewer than two values of any knob were measured."
        return
    yield "Each place shows the best of its trials; where it is white nothing was measured."
    if insight.heat.elsewhere:
        yield f"Not on the map, for one of the two knobs is not active in them: {insight.heat.elsewhere} trials."


def on_times(insight: Insight, names: Iterable[str]) -> Iterator[str]:
    """How bars are named, what their parts add up to, and how many configurations are left out."""
    if not insight.times:
        yield "Where the time goes is not known: no COMPLETE trial states its parts."
        return
    yield f"Beside a bar stand its trial and its configuration: {' · '.join(names)}."
    yield "The parts of a bar add up to the mean response time of its requests. The two sides have scales of their own."
    if len(insight.times) > MOST:
        yield f"Shown are {MOST} of {len(insight.times)} configurations: the best ones, and the baseline."


def _on_best(study: StudyResult) -> str:
    best, baseline = study.best, study.baseline
    if best is None:
        return "No trial was within the SLO."
    found = read(study, best, study.objective).value
    told = (
        f"Best {name_of(study.objective)} within the SLO: {figure(found)} {unit_of(study.objective)}".rstrip()
        + f" in trial {label_of(best)}"
    )
    start = read(study, baseline, study.objective).value if baseline else 0.0
    return f"{told}, {found / start:.2f} times the baseline's." if start > 0 else f"{told}."


def _on_sample(trials: int) -> str:
    """Of a study that is too long to be drawn whole."""
    if trials <= MOST_DRAWN:
        return ""
    return f" Of {trials:,} trials, those that improved on the best and a sample of the others are drawn."
