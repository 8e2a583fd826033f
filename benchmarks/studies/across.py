"""The kinds of tables about one configuration for all values of a knob. Pure; every one is Markdown."""

from __future__ import annotations

import math

from benchmarks.studies.figures import heading, knobs, with_interval
from benchmarks.studies.lengths import Run, best_at, pairs, runs_of
from benchmarks.studies.page import Wanted, markdown
from benchmarks.studies.tables import Studies, only
from orchestrator.insight.reading import Reading
from orchestrator.measure.interval import Interval
from orchestrator.names import describe, figure, short_names
from orchestrator.plain import identity
from orchestrator.result import Across, Status, TrialResult, without
from orchestrator.robust import TOP, Standing, by_top

MOST_ROWS = 12


def compromises(studies: Studies, wanted: Wanted) -> str:
    """The best configurations for all values, with their regrets; then those most often among the best of a value."""
    found = _across(studies, wanted)
    headings = ["configuration", *found.values, "mean", "worst", f"in top {TOP}"]
    rows = []
    for one in found.standings[:MOST_ROWS]:
        mean, worst = _share(one.mean_regret, found.margin(one)), _share(one.worst_regret)
        counted = f"{one.top} of {len(found.values)}"
        rows.append([_name(found, one.configuration), *_regrets(found, one), mean, worst, counted])
    first = by_top(found.standings)[: 2 * TOP]
    most = ", ".join(f"{_name(found, one.configuration)}: {one.top}" for one in first)
    return f"{markdown(headings, rows)}\n\nMost often among the best {TOP}: {most or 'none'}."


def grids(studies: Studies, wanted: Wanted) -> str:
    """| rows' knob, columns' knob | metric: a table for each value of the knob; metric may be a detail of a trial."""
    (down, across), (metric,) = wanted.arguments
    found = _across(studies, wanted)
    rows, columns = ([*_values(found, path)] for path in (down, across))
    parts = []
    for value in found.values:
        body = [[_text(row), *(_cell(found, value, {down: row, across: c}, metric) for c in columns)] for row in rows]
        head = [f"{heading(down)} \\ {heading(across)}", *map(_text, columns)]
        parts.append(f"{value}, {heading(metric)}:\n\n{markdown(head, body)}")
    return "\n\n".join(parts)


def lengths(studies: Studies, wanted: Wanted) -> str:
    """| batch's knob | lengths: for runs of other lengths, derived, the fastest for each value and the best for all."""
    (batch,), counts = wanted.arguments
    found = _across(studies, wanted)
    runs, rows = runs_of(found, batch), []
    for count in map(int, counts):
        fastest, standing = best_at(runs, count)
        best = next((one for one in standing if math.isfinite(one.mean_regret)), None)
        for_all = "–" if best is None else f"{_name(found, best.configuration)} ({_share(best.mean_regret)})"
        rows.append([f"{count:,}", *(_name(found, fastest[v]) if v in fastest else "–" for v in found.values), for_all])
    return markdown(["items in a run", *found.values, "for all (mean regret)"], rows)


def longer(studies: Studies, wanted: Wanted) -> str:
    """| length's knob, batch's knob: what the shortest runs say of the others, against what these took."""
    ((length, batch),) = wanted.arguments
    runs: dict[str, list[tuple[TrialResult, Run]]] = {}
    for trial in only(studies, wanted).trials:
        run = Run.of(trial, float(trial.configuration[batch])) if trial.status is Status.COMPLETE else None
        if run is not None:
            runs.setdefault(identity(without(trial.configuration, length)[1]), []).append((trial, run))
    rows = []
    for of_one in runs.values():
        rest = without(of_one[0][0].configuration, length)[1]
        for short, long_ in pairs([run for _, run in of_one]):
            derived_s, took_s = short.time_s(long_.items), long_.total_s
            name = describe(rest, short_names(rest))
            rows.append([name, f"{short.items:,.0f}", f"{long_.items:,.0f}", *_three(derived_s, took_s)])
    return markdown(["configuration", "measured items", "items", "derived, s", "measured, s", "ratio"], sorted(rows))


KINDS = {"compromises": compromises, "grids": grids, "lengths": lengths, "longer": longer}


def _three(derived_s: float, took_s: float) -> list[str]:
    return [figure(derived_s), figure(took_s), f"{derived_s / took_s:.2f}"]


def _across(studies: Studies, wanted: Wanted) -> Across:
    found = only(studies, wanted).compromise
    if found is None:
        raise SystemExit(f"{wanted.kind} {wanted.experiment}: that study has no knob `across`")
    return found


def _name(found: Across, number: int) -> str:
    names = short_names(path for one in found.configurations for path in one)
    return describe(found.configurations[number], names)


def _regrets(found: Across, one: Standing[int]) -> list[str]:
    return [_share(one.regrets[value]) for value in found.values]


def _share(regret: float, margin: float = math.nan) -> str:
    if not math.isfinite(regret):
        return "–"
    return f"{regret:.1%}" + (f" ±{margin:.1%}" if math.isfinite(margin) else "")


def _cell(found: Across, value: str, at: dict[str, object], metric: str) -> str:
    """The figure with its interval, of the first trial with these knobs; a dash where there is none."""
    for number, cell in found.cells[value].items():
        if all(found.configurations[number].get(path) == wanted for path, wanted in at.items()):
            reading = _read(cell.trial, metric)
            spread = reading.interval
            return with_interval(reading.value, *((spread.lo, spread.hi) if spread else (None, None)))
    return "–"


def _read(trial: TrialResult, metric: str) -> Reading:
    measured, details = trial.measurement, trial.details
    if metric in details:
        lo, hi = details.get(f"{metric}_lo"), details.get(f"{metric}_hi")
        return Reading(details[metric], Interval(lo, hi) if lo is not None and hi is not None else None)
    return Reading(getattr(measured, metric, math.nan), measured.intervals.get(metric) if measured else None)


def _values(found: Across, path: str) -> list[object]:
    return sorted({one[path] for one in found.configurations if path in one})


def _text(value: object) -> str:
    return knobs({"": value})[0]
