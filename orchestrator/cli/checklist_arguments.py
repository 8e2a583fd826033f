"""`orchestrator checklist`: what it takes, and what `--help` teaches."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from orchestrator.cli.arguments import Address, File, TrackingUri
from orchestrator.cli.load_arguments import AsJson


def checklist(
    file: File,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            help="The experiment that is written, a new file; NAME.checklist.yaml if left out.",
            show_default=False,
        ),
    ] = None,
    workload: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="This workload, not the first.", show_default=False),
    ] = None,
    budget: Annotated[str, typer.Option(help="Begin no measurement after this time.")] = "4m",
    address: Address = None,
    tracking_uri: TrackingUri = None,
    as_json: AsJson = False,
) -> None:
    """Go through the checklist of model serving on your application, and answer every item with a measurement.

    Versions, use of the system, work around the model, I/O, padding, JPEG decoding, fp16, int8, batching, engine,
    distillation, core pinning, bucketing: each is done, a gain to be had (how much, and by which knob), does not apply,
    or could not be checked. What is tried is deployed and measured in turn with the file's own configuration, by the
    file's objective and under its SLO. Ends with what to do first, and an experiment that searches it all together.
    """
    from orchestrator.cli.checklist import checklist_command
    from orchestrator.experiment import load_experiment

    experiment = load_experiment(file)
    if workload is not None:
        experiment = experiment.of_workload(workload)
    raise typer.Exit(checklist_command(experiment, output, budget, address, tracking_uri, as_json))
