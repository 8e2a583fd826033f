"""What the orchestrator itself costs per trial in a study of ten thousand: no cluster, trials that take no time.

    python -m benchmarks.search.scale [--trials 10000] [--algorithms NAME ...] [--trackers none mlflow] [--minutes 20]

Everything but the measuring is real: the searcher, `run_study`, and MLflow on SQLite (or a tracker that keeps nothing,
to tell the two apart); figures are made by formula (synthetic.py), as many of them as a trial has, without raw
samples. The table has the cost of a trial at the beginning, at 1,000 trials and at the end (medians of a hundredth of
the trials), what part of it is the algorithm's and what the tracker's, the peak of memory, and with MLflow the time to
load the study again, to draw the table of `orchestrator show`, and to make its JSON. Asked: at most 50 ms at the end,
as at the beginning. An algorithm that has not finished after so many minutes is stopped, and its line says after how
many trials.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import resource
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.search.bystanders import NoTracker, Unwatched
from benchmarks.search.simulated import Costs, SimulatedBackend, TimedTracker, endless
from benchmarks.search.studies import Strategy, searcher_of, studied
from benchmarks.search.synthetic import synthetic
from orchestrator.cli.output import screen
from orchestrator.cli.tables import print_outcome
from orchestrator.document import study_document
from orchestrator.experiment import ALGORITHMS, ConfirmPlan
from orchestrator.study import run_study
from orchestrator.tracking import open_tracker

MOST_MS = 50.0
EARLY, SECOND_LOOK = 100, 1000
LIKE = "light_model"


@dataclass(frozen=True)
class Line:
    """One study: costs in ms, memory in MB, the rest in seconds; NaN where there was nothing to measure."""

    algorithm: str
    tracker: str
    trials: int
    first_ms: float
    second_ms: float
    last_ms: float
    search_ms: float
    tracker_ms: float
    peak_mb: float
    load_s: float
    table_s: float
    json_s: float


def study(algorithm: str, tracker_name: str, trials: int, minutes: float) -> Line:
    """One study in this process, whose peak of memory is its own."""
    like = synthetic(LIKE)
    experiment = studied(endless(like), Strategy(algorithm), 0, trials - 1)
    experiment = experiment.model_copy(update={"confirm": ConfirmPlan(top=0)})  # its last figure is a trial's
    costs, deadline = Costs(), time.perf_counter() + 60 * minutes
    searcher = searcher_of(experiment)
    with tempfile.TemporaryDirectory() as directory:
        kept = tracker_name == "mlflow"
        tracker = open_tracker(None, Path(directory)) if kept else NoTracker()
        backend = SimulatedBackend(like, costs, deadline)
        run_study(experiment, searcher, backend, TimedTracker(tracker, costs), Unwatched(), {})
        reading = _read_again(Path(directory)) if kept else {}
    return line_of(algorithm, tracker_name, costs, reading)


def _read_again(directory: Path) -> dict[str, float]:
    began = time.perf_counter()
    result = open_tracker(None, directory).load_study(None)
    loaded = time.perf_counter()
    with Path(os.devnull).open("w") as nowhere:
        print_outcome(Console(file=nowhere, width=140), result)
        shown = time.perf_counter()
        json.dump(study_document(result), nowhere)
    return {"load_s": loaded - began, "table_s": shown - loaded, "json_s": time.perf_counter() - shown}


def line_of(algorithm: str, tracker: str, costs: Costs, reading: Mapping[str, float]) -> Line:
    """The medians of stretches of a hundredth of the trials, 20 at least."""
    count = len(costs.all)
    stretch = max(20, count // 100)

    def ms(series: list[float], end: int) -> float:
        part = series[max(0, end - stretch) : end]
        return 1e3 * float(np.median(part)) if part and end <= count else float("nan")

    return Line(
        algorithm,
        tracker,
        count,
        first_ms=ms(costs.all, min(EARLY, count)),
        second_ms=ms(costs.all, SECOND_LOOK),
        last_ms=ms(costs.all, count),
        search_ms=ms(costs.search, count),
        tracker_ms=ms(costs.tracker, count),
        peak_mb=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        **{name: reading.get(name, float("nan")) for name in ("load_s", "table_s", "json_s")},
    )


def show(lines: list[Line], asked: int) -> None:
    """The table, and whether what is asked for holds."""
    table = Table(title="the orchestrator's own cost per trial, ms", title_justify="left")
    for heading in ("algorithm", "tracker", "trials", f"at {EARLY}", f"at {SECOND_LOOK:,}", "at the end"):
        table.add_column(heading, justify="left" if heading in ("algorithm", "tracker") else "right")
    for heading in ("of it search", "tracker", "MB", "load s", "table s", "JSON s", ""):
        table.add_column(heading, justify="right")
    for one in lines:
        numbers = (one.first_ms, one.second_ms, one.last_ms, one.search_ms, one.tracker_ms)
        reading = (one.load_s, one.table_s, one.json_s)
        held = "holds" if one.last_ms <= MOST_MS and one.trials >= asked else "MISSED"
        table.add_row(
            one.algorithm,
            one.tracker,
            f"{one.trials:,}",
            *(f"{number:.1f}" for number in numbers),
            f"{one.peak_mb:,.0f}",
            *("" if np.isnan(seconds) else f"{seconds:.1f}" for seconds in reading),
            held,
        )
    screen(sys.stdout).print(table)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=10_000)
    parser.add_argument("--algorithms", nargs="+", default=list(ALGORITHMS))
    parser.add_argument("--trackers", nargs="+", choices=("none", "mlflow"), default=["none", "mlflow"])
    parser.add_argument("--minutes", type=float, default=20.0, help="for each study")
    parser.add_argument("--json", action="store_true", help="print one JSON object at the end")
    options = parser.parse_args()
    lines = []
    for tracker, algorithm in itertools.product(options.trackers, options.algorithms):
        with get_context("spawn").Pool(1) as process:  # memory is measured by process
            lines.append(process.apply(study, (algorithm, tracker, options.trials, options.minutes)))
        print(lines[-1], file=sys.stderr, flush=True)
    show(lines, options.trials)
    if options.json:
        print(json.dumps([asdict(line) for line in lines]))


if __name__ == "__main__":
    main()
