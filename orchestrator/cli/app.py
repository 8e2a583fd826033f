"""The commands: what they take, and what `--help` teaches."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from orchestrator import __version__
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

File = Annotated[Path, typer.Argument(help="The experiment, a YAML file.", metavar="FILE", show_default=False)]
Study = Annotated[
    str | None,
    typer.Argument(
        help="A study's id or the beginning of one, or an experiment's name; the latest study if left out.",
        metavar="[STUDY]",
        show_default=False,
    ),
]
TrackingUri = Annotated[
    str | None,
    typer.Option(
        "--tracking-uri",
        envvar="MLFLOW_TRACKING_URI",
        help="An MLflow tracking server or store; the store in ./mlruns if left out.",
        show_default=False,
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout and nothing else there.")]


@app.callback(invoke_without_command=True)
def root(
    version: Annotated[bool, typer.Option("--version", help="Print the version.", is_eager=True)] = False,
) -> None:
    """Finds the Ray Serve configuration to deploy for your load and your latency promise."""
    if version:
        print(f"orchestrator {__version__}")
        raise typer.Exit


@app.command()
def check(file: File) -> None:
    """Validate an experiment without starting Ray, and say what running it would mean.

    Prints the knobs, the size of the space, the baseline and an estimate of the time. Exit code 2 and every
    problem of the file when it is not valid.
    """
    from orchestrator.cli.check import print_check
    from orchestrator.experiment import load_experiment

    print_check(Console(), load_experiment(file))


@app.command()
def run(
    file: File,
    trials: Annotated[int | None, typer.Option(help="Number of trials, the baseline not counted.", min=1)] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of the search.")] = None,
    algorithm: Annotated[str | None, typer.Option(help="Search algorithm: hyperopt or random.")] = None,
    address: Annotated[
        str | None,
        typer.Option(
            envvar="RAY_ADDRESS",
            help="A running Ray cluster (`auto` on one of its nodes); a local one is started if left out.",
            show_default=False,
        ),
    ] = None,
    tracking_uri: TrackingUri = None,
    as_json: AsJson = False,
) -> None:
    """Run a study: measure the baseline, then every configuration that the search chooses.

    Options win over the file. Ctrl-C ends the running trial, keeps those that are done and cleans up.
    """
    from orchestrator.cli.run import run_command
    from orchestrator.experiment import load_experiment

    experiment = load_experiment(file).with_overrides(trials=trials, seed=seed, algorithm=algorithm)
    raise typer.Exit(run_command(experiment, address, tracking_uri, as_json))


@app.command()
def load(
    url: Annotated[
        str, typer.Argument(help="Where the requests go: http://host:port/path.", metavar="URL", show_default=False)
    ],
    concurrency: Annotated[
        int | None, typer.Option(help="Closed loop of so many clients; of 32 if no load is given.", min=1)
    ] = None,
    think_time: Annotated[
        float, typer.Option(help="Closed loop: seconds between an answer and the next request.", min=0, max=3600)
    ] = 0.0,
    rate: Annotated[float | None, typer.Option(help="Open loop of so many requests/s.", min=0.001)] = None,
    arrivals: Annotated[str, typer.Option(help="Of --rate and --max-rate: poisson or constant.")] = "poisson",
    trace: Annotated[
        Path | None, typer.Option(help="Open loop: replay a file of times, seconds, one a line, to its end.")
    ] = None,
    max_rate: Annotated[
        bool, typer.Option("--max-rate", help="Find the highest rate of an open loop that keeps the --slo.")
    ] = False,
    slo: Annotated[
        list[str] | None,
        typer.Option(help="A promise to test: p99=50ms, mean=20ms, max=1s, error_ratio=0.1%. Repeatable."),
    ] = None,
    body: Annotated[Path | None, typer.Option(help="File with the body of every request.")] = None,
    header: Annotated[list[str] | None, typer.Option(help="A header: 'Name: value'. Repeatable.")] = None,
    method: Annotated[str | None, typer.Option(help="GET, or POST if there is a body.", show_default=False)] = None,
    duration: Annotated[
        float | None,
        typer.Option(
            help="Measure for exactly so many seconds after the warm-up, at each rate of --max-rate for at most so "
            "many; if left out, until the figures are known, at most 15.",
            min=0.1,
            max=86_400,
            show_default=False,
        ),
    ] = None,
    warmup: Annotated[
        float,
        typer.Option(
            help="Shortest warm-up, seconds. It ends when the figures are steady, after 10 at the latest; that of "
            "a trace is exactly so long.",
            min=0,
            max=3600,
        ),
    ] = 1.0,
    precision: Annotated[
        float,
        typer.Option(
            help="Relative half-width to reach, of the 95 % interval or of the highest rate.", min=0.001, max=0.999
        ),
    ] = 0.05,
    timeout: Annotated[
        float, typer.Option(help="Seconds after which a request counts as failed.", min=0.001, max=86_400)
    ] = 10.0,
    seed: Annotated[int, typer.Option(help="Seed of the arrivals.", min=0)] = 0,
    connections: Annotated[
        int, typer.Option(help="Most connections of an open loop; beyond them requests wait in the client.", min=1)
    ] = 1000,
    as_json: AsJson = False,
) -> None:
    """Put load on an HTTP endpoint that is already running, and say what to make of the figures.

    The engine and the statistics of a trial, without Ray or a study: latencies count from when a request was due,
    every figure has its interval, and a measurement that cannot be trusted says so. Exit code 0 when requests
    succeeded, 1 when none did.
    """
    from orchestrator.cli.load import load_command
    from orchestrator.cli.load_options import option_values

    options = option_values(
        url=url,
        concurrency=concurrency,
        think_time_s=think_time,
        rate=rate,
        arrivals=arrivals,
        trace=trace,
        max_rate=max_rate,
        slo=slo,
        body=body,
        headers=header,
        method=method,
        duration_s=duration,
        warmup_s=warmup,
        precision=precision,
        timeout_s=timeout,
        seed=seed,
        connections=connections,
    )
    console = Console(stderr=as_json)
    try:
        raise typer.Exit(load_command(options, as_json, console))
    except KeyboardInterrupt:
        console.print("[yellow]Interrupted.[/]")
        raise typer.Exit(130) from None


@app.command()
def show(study: Study = None, tracking_uri: TrackingUri = None, as_json: AsJson = False) -> None:
    """Show the trials of a study as a table, the best first."""
    from orchestrator.cli.tables import print_outcome
    from orchestrator.document import study_document
    from orchestrator.tracking import open_tracker

    result = open_tracker(tracking_uri, Path.cwd()).load_study(study)
    if as_json:
        print(json.dumps(study_document(result), indent=2))
    else:
        print_outcome(Console(), result)


@app.command()
def export(
    study: Study = None,
    trial: Annotated[int | None, typer.Option(help="Number of another trial than the winner.", min=0)] = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Write to this file, not to stdout.")] = None,
    tracking_uri: TrackingUri = None,
) -> None:
    """Print the winner as a Serve config that `serve deploy` takes."""
    from orchestrator.cli.export import exported
    from orchestrator.tracking import open_tracker

    text = exported(open_tracker(tracking_uri, Path.cwd()).load_study(study), trial)
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

    raise typer.Exit(print_doctor(Console(), address))


def main() -> None:
    """Entry point: a user's mistake is one message on stderr and an exit code, never a traceback."""
    try:
        app()
    except OrchestratorError as error:
        kind = "usage" if isinstance(error, UsageError) else "error"
        Console(stderr=True).print(f"[bold red]{kind}:[/] ", end="")
        print(error, file=sys.stderr)
        sys.exit(error.exit_code)
