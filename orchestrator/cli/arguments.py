"""Arguments and options that several commands take."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

File = Annotated[Path, typer.Argument(help="The experiment, a YAML file.", metavar="FILE", show_default=False)]
Study = Annotated[
    str | None,
    typer.Argument(
        help="A study's id or the beginning of one, an experiment's name, or name:workload; the latest if left out.",
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
Address = Annotated[
    str | None,
    typer.Option(
        envvar="RAY_ADDRESS",
        help="A running Ray cluster (`auto` on one of its nodes); a local one is started if left out.",
        show_default=False,
    ),
]
