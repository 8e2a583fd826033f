"""`orchestrator run`: wires the experiment, the cluster, the searcher, the tracker and the display together."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from orchestrator.cli.display import StudyDisplay
from orchestrator.cli.output import own_output, screen
from orchestrator.cli.plan import StudyPlan
from orchestrator.cli.several import print_several
from orchestrator.cli.stop import StopSignals
from orchestrator.cli.tables import print_outcome
from orchestrator.document import several_document, study_document
from orchestrator.result import StudyResult
from orchestrator.several import Several
from orchestrator.tracking.port import COMPARED

if TYPE_CHECKING:
    from orchestrator.insight import Insight

LOG = "mlruns/orchestrator.log"
"""What Ray, MLflow and their processes print during a study, for when something is odd."""

INTERRUPTED = 130
"""128 + SIGINT, as shells expect it."""


@dataclass(frozen=True)
class _Outcome:
    """What each study of an experiment found and teaches, and what they say together where there are several."""

    name: str
    studies: Sequence[tuple[StudyResult, Insight]]
    several: Several | None


def run_command(plan: StudyPlan, address: str | None, tracking_uri: str | None, as_json: bool) -> int:
    """Runs the study, or one for each workload, and prints the outcome; returns the exit code."""
    with own_output(Path.cwd() / LOG) as output:
        console = screen(output.stderr if as_json else output.stdout)
        try:
            with StopSignals(lambda: console.print("cleaning up, a few seconds more …")) as stop:
                outcome = _run(console, stop, plan, address, tracking_uri)
        except KeyboardInterrupt:
            store = f" --tracking-uri {tracking_uri}" if tracking_uri else ""
            console.print("[yellow]Interrupted.[/] Finished trials are kept: `orchestrator show` lists them,", end=" ")
            console.print(f"`orchestrator run --resume {plan.experiment.title}{store}` goes on.", highlight=False)
            return INTERRUPTED
        if as_json:
            print(json.dumps(_document(outcome), indent=2), file=output.stdout)
        else:
            _print(console, outcome, tracking_uri)
    return 0


def _run(
    console: Console, stop: StopSignals, plan: StudyPlan, address: str | None, tracking_uri: str | None
) -> _Outcome:
    plans = plan.of_each_workload()
    with StudyDisplay(console, plans[0].experiment) as display:
        display.doing("opening the tracking store")
        # Slow imports, and Ray's must not come before the environment of the cluster is known.
        from orchestrator.cli.lessons import draw_lessons
        from orchestrator.cluster import open_cluster
        from orchestrator.tracking import open_tracker
        from orchestrator.workload.precheck import check_payloads

        tracker = open_tracker(tracking_uri, Path.cwd())
        offline = plan.experiment.is_offline
        for each in (one.experiment for one in plans if not offline):
            check_payloads(each.workload, each.file.parent, each.load.items_per_request)
        display.doing(f"connecting to the Ray cluster at {address}" if address else "starting a Ray cluster")
        wanted = plan.experiment.cluster
        data_plane = "proxy" if offline else wanted.data_plane  # not used there, and needs no package
        what = "the trials" if offline else "Ray Serve"
        with open_cluster(address, data_plane, wanted.num_cpus) as cluster:
            stop.arm()
            from orchestrator.cli.session import Session

            session, searched = Session(cluster, tracker, display), {}
            try:
                for one in plans:
                    display.doing(f"starting {what}")
                    if one.finished:
                        console.print(f"{one.experiment.title}: searched before", highlight=False)
                    searched[one.experiment.title], ending = session.conduct(one)
                    if ending:
                        trials = one.experiment.search.trials
                        console.print(f"the search ended before all {trials} trials: {ending}")
                several = session.compare(searched, plans) if len(plans) > 1 else None
            finally:
                display.doing(f"stopping {what} and the cluster")
        display.doing("drawing what the study teaches")
        from orchestrator.cli.compared import keep_comparison

        lessons = []
        for one in plans:
            found = searched[one.experiment.title]
            lessons.append((found.study, draw_lessons(found.study, one.experiment, found.random_trials, tracker)))
        if several is not None:
            keep_comparison(several, plan.experiment, tracker)
        return _Outcome(plan.experiment.name, lessons, several)


def _document(outcome: _Outcome) -> dict:
    if outcome.several is None:
        return study_document(outcome.studies[0][0])
    return several_document(outcome.several)


def _print(console: Console, outcome: _Outcome, tracking_uri: str | None) -> None:
    from orchestrator.cli.lessons import PAGE, print_lessons

    for study, insight in outcome.studies:
        print_outcome(console, study)
        print_lessons(console, insight)
        console.print(f"  Figures: {PAGE} among the artifacts of the study\n", highlight=False, markup=False)
    if outcome.several is not None:
        print_several(console, outcome.several)
        console.print(
            f"  Figures: {PAGE} among the artifacts of {outcome.name}.{COMPARED}\n", highlight=False, markup=False
        )
    _print_next_steps(console, _winner(outcome), tracking_uri, outcome.studies[0][0].is_offline)


def _winner(outcome: _Outcome) -> str | None:
    """What `orchestrator export` takes to write it; None where there is none."""
    several = outcome.several
    if several is None:
        return "" if outcome.studies[0][0].recommended is not None else None
    if several.robust is None:
        return None
    return f" {outcome.name}"


def _print_next_steps(console: Console, winner: str | None, tracking_uri: str | None, offline: bool) -> None:
    store = f" --tracking-uri {tracking_uri}" if tracking_uri else ""
    if winner is not None:
        export = f"orchestrator export{winner}{store} -o winner.yaml"
        told = f"Take it along:   {export}" if offline else f"Deploy it:       {export} && serve deploy winner.yaml"
        console.print(told, highlight=False)
    console.print(f"Browse trials:   orchestrator ui{store}     then open http://127.0.0.1:5000", highlight=False)
