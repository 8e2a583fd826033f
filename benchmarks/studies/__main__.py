"""Writes the tables and pictures of a study's page, docs/studies/NAME.md, from what MLflow keeps of its experiments.

    python -m benchmarks.studies clothing                  # the latest studies in ./mlruns
    python -m benchmarks.studies clothing --pictures       # its pictures too, which needs Chrome or Chromium
    python -m benchmarks.studies clothing --run            # run every experiment of the page first, unattended
    python -m benchmarks.studies clothing --run --quick    # the same as a first look

The page says what it wants between markers (see `page.py`). All else is left alone, and so is what the store has no
study of; a page that is written to another file with `-o` says that this was not measured.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

from benchmarks.studies import across
from benchmarks.studies.page import PICTURE, Wanted, filled, wanted
from benchmarks.studies.pictures import figures_of, save
from benchmarks.studies.tables import COMPARED, KINDS, Studies
from orchestrator.errors import OrchestratorError, UsageError
from orchestrator.figures import PAGE
from orchestrator.result import StudyResult
from orchestrator.tracking import open_tracker
from orchestrator.tracking.port import StudySummary, Tracker

ROOT = Path(__file__).parents[2]
PAGES, SPACES = ROOT / "docs" / "studies", ROOT / "search_spaces"
EVERY = {**KINDS, **across.KINDS}
PICTURES = "pictures"  # the directory beside a page that has its pictures
NOT_RUN = "_Not measured yet._"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("page", choices=sorted(page.stem for page in PAGES.glob("*.md")))
    parser.add_argument("--run", action="store_true", help="run the experiments before")
    parser.add_argument("--quick", action="store_true", help="with --run: few trials, short windows")
    parser.add_argument("--pictures", action="store_true", help="draw the pictures as well")
    parser.add_argument("-o", "--output", type=Path, help="write the page to this file and leave its own alone")
    parser.add_argument("--tracking-uri", help="an MLflow store; ./mlruns if left out")
    options = parser.parse_args()
    file = PAGES / f"{options.page}.md"
    text = file.read_text(encoding="utf-8")
    if options.run:
        for experiment in dict.fromkeys(one.experiment.partition(":")[0] for one in wanted(text)):
            run(experiment, options.quick, options.tracking_uri)
    written = options.output or file

    def make(one: Wanted) -> str | None:
        if one.what == PICTURE and not options.pictures:
            return None
        made = picture(one, tracker, written.parent / PICTURES) if one.what == PICTURE else table(one, tracker)
        return NOT_RUN if made is None and options.output else made

    try:
        tracker = open_tracker(options.tracking_uri, Path.cwd())
        written.write_text(filled(text, make), encoding="utf-8")
    except OrchestratorError as error:
        raise SystemExit(str(error)) from None
    print(written)


def run(experiment: str, quick: bool, tracking_uri: str | None) -> None:
    """One experiment, as its user would; ends with its exit code if that is not 0."""
    (file,) = SPACES.glob(f"**/{experiment}.yaml")
    store = ["--tracking-uri", tracking_uri] if tracking_uri else []
    command = [sys.executable, "-m", "orchestrator", "run", str(file), *(["--quick"] if quick else []), *store]
    print(" ".join(command), flush=True)
    if code := subprocess.run(command, check=False).returncode:
        raise SystemExit(code)


def table(one: Wanted, tracker: Tracker) -> str | None:
    """What a marker asks for, and which studies it was made from; None where there is none."""
    if one.kind not in EVERY:
        raise UsageError(f"there is no table {one.kind!r}; there are {', '.join(EVERY)}")
    listed = latest(tracker.studies(), one.experiment, compared=one.kind == "gain")
    if not listed:
        return None
    studies = {workload: tracker.load_study(summary.study_id) for workload, summary in listed.items()}
    return f"{EVERY[one.kind](studies, one)}\n\n{origin(studies, listed)}"


def picture(one: Wanted, tracker: Tracker, directory: Path) -> str | None:
    """Draws a figure of the page that MLflow keeps of an experiment into `directory`; Markdown that shows it.

    None where MLflow keeps none.
    """
    kept = {study.name: study.study_id for study in reversed(tracker.studies())}
    kept |= {comparison.name: comparison.comparison_id for comparison in reversed(tracker.comparisons())}
    if one.experiment not in kept:
        return None
    figures = figures_of(tracker.page(kept[one.experiment], PAGE))
    if one.kind not in figures:
        raise UsageError(f"{one.experiment} has no figure {one.kind!r}; it has {', '.join(figures)}")
    file = directory / f"{one.experiment.replace(':', '-')}-{one.kind}.png"
    title = save(figures[one.kind], file)
    return f"![{title}]({directory.name}/{file.name})\n\n_From the page of figures of `{kept[one.experiment][:8]}`._"


def latest(summaries: list[StudySummary], experiment: str, compared: bool) -> dict[str, StudySummary]:
    """By workload, "" without one, the latest study of each; `experiment` may be `name:workload`."""
    found: dict[str, StudySummary] = {}
    for summary in reversed(summaries):
        name, _, workload = summary.name.partition(":")
        if experiment in (name, summary.name) and (compared or not workload.endswith(COMPARED)):
            found.pop(workload, None)  # in the order in which they were run
            found[workload] = summary
    return found


def origin(studies: Studies, listed: dict[str, StudySummary]) -> str:
    """One line on what stands behind a table."""
    ids = ", ".join(f"`{summary.study_id[:8]}`" for summary in listed.values())
    counted = sum(len(study.trials) for study in studies.values())
    last = max(summary.started for summary in listed.values())
    return f"_{counted} trials of {windows(studies.values())}, {last:%Y-%m-%d}; studies {ids}; 95 % intervals._"


def windows(studies) -> str:
    """How long was measured."""
    each = [t.measurement.duration_s for study in studies for t in _all(study) if t.measurement is not None]
    return f"{min(each):.1f} to {max(each):.1f} s" if each else "no measurement"


def _all(study: StudyResult) -> tuple:
    return (*study.trials, *study.replications)


if __name__ == "__main__":
    main()
