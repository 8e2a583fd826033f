"""The commands: what they take, and what `--help` teaches."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from orchestrator import __version__
from orchestrator.cli.arguments import Address, File, Study, TrackingUri
from orchestrator.cli.checklist_arguments import checklist
from orchestrator.cli.load_arguments import AsJson, load
from orchestrator.cli.output import screen
from orchestrator.errors import OrchestratorError, UsageError

app = typer.Typer(
    name="orchestrator",
    help="Finds the Ray Serve configuration to deploy for your load and your latency promise.\n\n"
    "An experiment is a YAML file: the application, the load, the promise (SLO), and the knobs to search. "
    "Start with `orchestrator check search_spaces/digits.yaml`.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
)


@app.callback(invoke_without_command=True)
def root(
    version: Annotated[bool, typer.Option("--version", help="Print the version.", is_eager=True)] = False,
) -> None:
    """Finds the Ray Serve configuration to deploy for your load and your latency promise."""
    if version:
        print(f"orchestrator {__version__}")
        raise typer.Exit


@app.command()
def check(
    file: File,
    probe: Annotated[
        bool, typer.Option("--probe", help="Also deploy the baseline, and find what fits: replicas, clients.")
    ] = False,
    write: Annotated[
        Path | None,
        typer.Option(metavar="NEW", help="Of --probe: write the experiment, narrowed to what fits, to a new file."),
    ] = None,
    address: Annotated[
        str | None,
        typer.Option(
            envvar="RAY_ADDRESS",
            help="Of --probe: a running Ray cluster; a local one is started if left out.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Validate an experiment without starting Ray, and say what running it would mean.

    Prints the knobs, the size of the space, the baseline and an estimate of the time. Exit code 2 and every
    problem of the file when it is not valid. With --probe, Ray is started and the baseline measured.
    """
    from orchestrator.cli.check import print_check
    from orchestrator.experiment import load_experiment

    experiment = load_experiment(file)
    if probe and experiment.is_offline:
        raise UsageError("--probe finds how many replicas and clients fit, and with mode: offline there are none")
    if write is not None and not probe:
        raise UsageError("--write takes what --probe finds: give both")
    print_check(screen(sys.stdout), experiment)
    if probe:
        from orchestrator.cli.probe import probe_command

        raise typer.Exit(probe_command(experiment, address, write))


@app.command()
def run(
    file: Annotated[
        Path | None,
        typer.Argument(help="The experiment, a YAML file; may be left out with --resume.", metavar="FILE"),
    ] = None,
    workload: Annotated[
        str | None, typer.Option(metavar="NAME", help="Only this one of the file's workloads.", show_default=False)
    ] = None,
    trials: Annotated[int | None, typer.Option(help="Number of trials, the baseline not counted.", min=1)] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of the search.")] = None,
    algorithm: Annotated[
        str | None,
        typer.Option(help="Search algorithm: surrogate, hyperopt, random, grid, epsilon_greedy, gp, tpe or nsga2."),
    ] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="A first look: few trials, short windows, two workloads.")
    ] = False,
    budget: Annotated[
        str | None, typer.Option(help="Begin no trial after this time, such as 10m; the confirmation follows.")
    ] = None,
    stop_early: Annotated[
        bool | None,
        typer.Option(
            "--stop-early", help="End when no more than the measuring precision is to be expected.", show_default=False
        ),
    ] = None,
    resume: Annotated[
        str | None, typer.Option(metavar="STUDY", help="Go on with a study, or an experiment of several workloads.")
    ] = None,
    more: Annotated[int | None, typer.Option(help="Trials to add to the study that --resume names.", min=1)] = None,
    warm_start: Annotated[
        str | None, typer.Option(metavar="STUDY", help="Learn from an earlier study of the same application.")
    ] = None,
    address: Address = None,
    tracking_uri: TrackingUri = None,
    as_json: AsJson = False,
) -> None:
    """Run a study: measure the baseline, then every configuration that the search chooses.

    Options win over the file. Ctrl-C ends the running trial, keeps those that are done and cleans up.
    """
    from orchestrator.cli.planning import plan_study
    from orchestrator.cli.run import run_command

    overrides = {"trials": trials, "seed": seed, "algorithm": algorithm, "budget": budget, "stop_early": stop_early}
    plan = plan_study(file, overrides, resume, more, warm_start, tracking_uri, workload, quick)
    raise typer.Exit(run_command(plan, address, tracking_uri, as_json))


app.command()(load)
app.command()(checklist)


@app.command()
def show(study: Study = None, tracking_uri: TrackingUri = None, as_json: AsJson = False) -> None:
    """Show the trials of a study as a table, the best first, and what they teach; of several workloads, how the
    same configurations compare under all of them.
    """
    from orchestrator.cli.show import show as shown
    from orchestrator.tracking import open_tracker

    shown(screen(sys.stdout), open_tracker(tracking_uri, Path.cwd()), study, as_json)


@app.command()
def export(
    study: Study = None,
    trial: Annotated[int | None, typer.Option(help="Number of another trial than the winner.", min=0)] = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write to this file, not to stdout.")] = None,
    tracking_uri: TrackingUri = None,
) -> None:
    """Print the winner as a Serve config that `serve deploy` takes; of several workloads, the one for all of them.

    Of an offline study, the job and its arguments.
    """
    from orchestrator.cli.export import exported_ref
    from orchestrator.tracking import open_tracker

    text = exported_ref(open_tracker(tracking_uri, Path.cwd()), study, trial)
    if output is None:
        print(text, end="")
    else:
        output.write_text(text)


@app.command()
def ui(
    port: Annotated[int, typer.Option(help="Port on loopback.", min=1, max=65535)] = 5000,
    tracking_uri: TrackingUri = None,
) -> None:
    """Open the MLflow UI on loopback: one experiment per file, a run per study, a child run per trial."""
    from orchestrator.tracking import ui_command

    command = ui_command(tracking_uri, Path.cwd(), port)
    print(f"MLflow UI: http://127.0.0.1:{port} in a moment (Ctrl-C ends it)", file=sys.stderr, flush=True)
    os.execvp(command[0], command)  # becomes the server, so that signals reach it and nothing stays behind


@app.command()
def doctor(
    address: Annotated[
        str | None,
        typer.Option(envvar="RAY_ADDRESS", help="Also try to reach this Ray cluster.", show_default=False),
    ] = None,
) -> None:
    """Say whether this machine is ready: versions, cores, memory, ports, data plane, cluster."""
    from orchestrator.cli.doctor import print_doctor

    raise typer.Exit(print_doctor(screen(sys.stdout), address))


def main() -> None:
    """Entry point: a user's mistake is one message on stderr and an exit code, never a traceback."""
    try:
        app()
    except OrchestratorError as error:
        kind = "usage" if isinstance(error, UsageError) else "error"
        Console(stderr=True).print(f"[bold red]{kind}:[/] ", end="")
        print(error, file=sys.stderr)
        sys.exit(error.exit_code)
