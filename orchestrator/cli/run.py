"""`orchestrator run`: wires the experiment, the cluster, the searcher, the tracker and the display together."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from orchestrator.cli.display import StudyDisplay
from orchestrator.cli.output import own_output
from orchestrator.cli.plan import StudyPlan
from orchestrator.cli.stop import StopSignals
from orchestrator.cli.tables import print_outcome
from orchestrator.document import study_document
from orchestrator.result import StudyResult

if TYPE_CHECKING:
    from orchestrator.insight import Insight

LOG = "mlruns/orchestrator.log"
"""What Ray, MLflow and their processes print during a study, for when something is odd."""

INTERRUPTED = 130
"""128 + SIGINT, as shells expect it."""


def run_command(plan: StudyPlan, address: str | None, tracking_uri: str | None, as_json: bool) -> int:
    """Runs the study and prints its outcome; returns the exit code."""
    with own_output(Path.cwd() / LOG) as output:
        console = Console(file=output.stderr if as_json else output.stdout)
        try:
            with StopSignals(lambda: console.print("cleaning up, a few seconds more …")) as stop:
                result, insight = _study(console, stop, plan, address, tracking_uri)
        except KeyboardInterrupt:
            console.print("[yellow]Interrupted.[/] Finished trials are kept: `orchestrator show` lists them.")
            return INTERRUPTED
        if as_json:
            print(json.dumps(study_document(result), indent=2), file=output.stdout)
        else:
            print_outcome(console, result)
            from orchestrator.cli.lessons import PAGE, print_lessons

            print_lessons(console, insight)
            console.print(f"  Figures: {PAGE} among the artifacts of the study", highlight=False, markup=False)
            _print_next_steps(console, result, tracking_uri)
    return 0


def _study(
    console: Console, stop: StopSignals, plan: StudyPlan, address: str | None, tracking_uri: str | None
) -> tuple[StudyResult, Insight]:
    experiment = plan.experiment
    before = len(plan.resumed.trials) if plan.resumed else 0
    with StudyDisplay(console, experiment, before) as display:
        display.doing("opening the tracking store")
        # Slow imports, and Ray's must not come before the environment of the cluster is known.
        from orchestrator.cli.lessons import draw_lessons
        from orchestrator.cluster import ask_cluster, open_cluster
        from orchestrator.environment import describe_environment, serve_variables
        from orchestrator.study import run_study
        from orchestrator.tracking import open_tracker
        from orchestrator.workload.precheck import check_payloads

        tracker = open_tracker(tracking_uri, Path.cwd())
        check_payloads(experiment.workload, experiment.file.parent, experiment.load.items_per_request)
        display.doing(f"connecting to the Ray cluster at {address}" if address else "starting a Ray cluster")
        wanted = experiment.cluster
        with open_cluster(address, wanted.data_plane, wanted.num_cpus) as cluster:
            stop.arm()
            from orchestrator.backend.tune import TuneBackend
            from orchestrator.cli.searcher import searcher_of

            display.doing("starting Ray Serve")
            backend = TuneBackend(cluster, on_phases=display.watch)
            searcher = searcher_of(plan, cluster, backend.parallel)
            environment = describe_environment(cluster.data_plane, ask_cluster(serve_variables))
            try:
                learned_from = plan.warm_start.study_id if plan.warm_start else None
                result = run_study(
                    experiment, searcher, backend, tracker, display, environment, plan.resumed, learned_from
                )
            finally:
                display.doing("stopping Ray Serve and the cluster")
        if searcher.ending:
            console.print(f"the search ended before all {experiment.search.trials} trials: {searcher.ending}")
        display.doing("drawing what the study teaches")
        return result, draw_lessons(result, experiment, searcher.random_trials, tracker)


def _print_next_steps(console: Console, result: StudyResult, tracking_uri: str | None) -> None:
    store = f" --tracking-uri {tracking_uri}" if tracking_uri else ""
    console.print()
    if result.best is not None:
        console.print(
            f"Deploy it:       orchestrator export{store} -o winner.yaml && serve deploy winner.yaml",
            highlight=False,
        )
    console.print(f"Browse trials:   orchestrator ui{store}     then open http://127.0.0.1:5000", highlight=False)
