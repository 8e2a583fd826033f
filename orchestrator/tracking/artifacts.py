"""The files of a run: written to a directory that is uploaded at once, and read back. No MLflow here."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from orchestrator.document import plain, to_json, trial_from_document, trial_record
from orchestrator.measure.samples import Samples
from orchestrator.result import TrialResult

TRIAL = "trial.json"  # a trial without its samples: what it is restored from
SERVE_CONFIG = "serve_config.yaml"
SAMPLES = "samples.parquet"
WINNER = "winner.yaml"
TRIALS = "trials.jsonl"  # the records of all trials and replications of a study that has ended, one a line
ENVIRONMENT = "environment.json"
COMPARISON = "comparison.json"  # of workloads: the public document, by whose ids it is put together again


def write_study(directory: Path, file_name: str, text: str, environment: Mapping[str, Any]) -> None:
    """The experiment file under its own name, and the environment."""
    (directory / ENVIRONMENT).write_text(_json(to_json(environment)), encoding="utf-8")
    (directory / Path(file_name).name).write_text(text, encoding="utf-8")


def write_trial(directory: Path, result: TrialResult) -> None:
    """The trial's record, its Serve config and its raw samples; what it does not have is left out."""
    (directory / TRIAL).write_text(_json(trial_record(result)), encoding="utf-8")
    if result.serve_config:
        write_serve_config(directory / SERVE_CONFIG, result.serve_config)
    if result.samples is not None:
        write_samples(directory / SAMPLES, result.samples)


def write_serve_config(path: Path, serve_config: Mapping[str, Any]) -> None:
    """A Serve config as YAML, its keys in the order they are in."""
    path.write_text(yaml.safe_dump(plain(serve_config), sort_keys=False, allow_unicode=True), encoding="utf-8")


def write_samples(path: Path, samples: Samples) -> None:
    """One row per request, the columns of Samples."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    # Times hardly repeat: a dictionary of them only costs time.
    pq.write_table(pa.table(samples.columns()), path, compression="zstd", use_dictionary=False)


def read_trial(path: Path) -> TrialResult:
    """The trial of a record that `write_trial` wrote, without samples."""
    return trial_from_document(json.loads(path.read_text(encoding="utf-8")))


def write_trials(path: Path, trials: Iterable[TrialResult]) -> None:
    """One record a line, as `write_trial` has them."""
    with path.open("w", encoding="utf-8") as file:
        for trial in trials:
            file.write(json.dumps(trial_record(trial), allow_nan=False, ensure_ascii=False) + "\n")


def read_trials(path: Path) -> list[TrialResult]:
    """The trials of a file that `write_trials` wrote."""
    with path.open(encoding="utf-8") as file:
        return [trial_from_document(json.loads(line)) for line in file]


def _json(value: Any) -> str:
    return json.dumps(value, indent=2, allow_nan=False, ensure_ascii=False) + "\n"
