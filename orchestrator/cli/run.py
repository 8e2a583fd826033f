"""`orchestrator run`: wires the experiment, the cluster, the searcher, the tracker and the display together."""

from __future__ import annotations

import json
from pathlib import Path

from rich.console import Console

from orchestrator.cli.display import StudyDisplay
from orchestrator.cli.output import own_output
from orchestrator.cli.plan import StudyPlan
from orchestrator.cli.stop import StopSignals
from orchestrator.cli.tables import print_outcome
from orchestrator.document import study_document
from orchestrator.result import StudyResult

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
                result = _study(console, stop, plan, address, tracking_uri)
        except KeyboardInterrupt:
            console.print("[yellow]Interrupted.[/] Finished trials are kept: `orchestrator show` lists them.")
            return INTERRUPTED
        if as_json:
            print(json.dumps(study_document(result), indent=2), file=output.stdout)
        else:
            print_outcome(console, result)
            _print_next_steps(console, result, tracking_uri)
    return 0


def _study(
    console: Console, stop: StopSignals, plan: StudyPlan, address: str | None, tracking_uri: str | None
) -> StudyResult:
    experiment = plan.experiment
    with StudyDisplay(console, experiment) as display:
        display.doing("opening the tracking store")
        # Slow imports, and Ray's must not come before the environment of the cluster is known.
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
                return run_study(experiment, searcher, backend, tracker, display, environment, plan.resumed)
            finally:
                display.doing("stopping Ray Serve and the cluster")


def _print_next_steps(console: Console, result: StudyResult, tracking_uri: str | None) -> None:
    store = f" --tracking-uri {tracking_uri}" if tracking_uri else ""
    console.print()
    if result.best is not None:
        console.print(
            f"Deploy it:       orchestrator export{store} -o winner.yaml && serve deploy winner.yaml",
            highlight=False,
        )
    console.print(f"Browse trials:   orchestrator ui{store}     then open http://127.0.0.1:5000", highlight=False)
