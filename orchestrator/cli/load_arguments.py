"""What `orchestrator load` takes, and what its `--help` teaches."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout and nothing else there.")]


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
    from orchestrator.cli.output import screen

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
    console = screen(sys.stderr if as_json else sys.stdout)
    try:
        raise typer.Exit(load_command(options, as_json, console))
    except KeyboardInterrupt:
        console.print("[yellow]Interrupted.[/]")
        raise typer.Exit(130) from None
