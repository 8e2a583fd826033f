"""Reading studies back from MLflow."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import datetime, timezone
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from orchestrator.confirmation import confirmed
from orchestrator.document import objective_from_document, several_from_document
from orchestrator.errors import UsageError
from orchestrator.result import StudyResult, TrialResult
from orchestrator.several import Several
from orchestrator.tracking import artifacts, entities
from orchestrator.tracking.port import Comparison, Origin, StudySummary, find_study

if TYPE_CHECKING:
    from mlflow import MlflowClient

_PAGE = 1000  # rows a request
_OPTIONAL = (entities.WARM_START, entities.WORKLOAD, entities.ACROSS)
"""Tags that a study may have, in the order of `Origin`."""


def studies(client: MlflowClient) -> list[StudySummary]:
    """Every study in the store, the latest first."""
    experiments = [experiment.experiment_id for experiment in _every(client.search_experiments)]
    if not experiments:
        return []
    return [_summary(run) for run in _runs(client, experiments, _kind(entities.STUDY))]


def load_study(client: MlflowClient, ref: str | None) -> StudyResult:
    """The study that `ref` names, with the trials and replications that ended, and what they say."""
    return read_study(client, find_study(ref, studies(client)).study_id)


def read_study(client: MlflowClient, study_id: str) -> StudyResult:
    """The study of that id."""
    parent = client.get_run(study_id)
    tags = parent.data.tags
    ended = sorted(_ended(client, parent), key=lambda trial: trial.number)
    study = StudyResult(
        study_id=study_id,
        name=tags["name"],
        algorithm=tags["algorithm"],
        seed=int(tags["seed"]),
        maximize=tags["maximize"] == "true",
        objective=tags["objective"],
        trials=tuple(trial for trial in ended if trial.confirms is None),
        replications=tuple(trial for trial in ended if trial.confirms is not None),
        pruned=json.loads(tags.get(entities.PRUNED, "{}")),
        inputs=parent.data.params.get("inputs", ""),
        across=tags.get(entities.ACROSS, ""),
        further=tuple(map(objective_from_document, json.loads(tags.get(entities.FURTHER, "[]")))),
    )
    return confirmed(study)


def _ended(client: MlflowClient, parent: Any) -> list[TrialResult]:
    """The trials and replications of a study: from one file if it has ended, else from the runs of each."""
    with TemporaryDirectory() as directory:
        if entities.TRIALS in parent.data.tags:
            file = _download(client, parent.info.artifact_uri, artifacts.TRIALS, Path(directory))
            return artifacts.read_trials(file)
        return [
            artifacts.read_trial(_download(client, run.info.artifact_uri, artifacts.TRIAL, Path(directory)))
            for run in _children(client, parent.info.experiment_id, parent.info.run_id)
            if "status" in run.data.tags and run.data.tags.get(entities.KIND) != entities.SUPERSEDED
        ]


def comparisons(client: MlflowClient) -> list[Comparison]:
    """Every comparison of workloads in the store, the latest first."""
    experiments = [experiment.experiment_id for experiment in _every(client.search_experiments)]
    runs = _runs(client, experiments, _kind(entities.COMPARISON)) if experiments else ()
    return [Comparison(run.info.run_id, run.data.tags["name"], _started(run)) for run in runs]


def load_comparison(client: MlflowClient, comparison_id: str) -> Several:
    """A comparison, put together from the studies that its document names."""
    uri = client.get_run(comparison_id).info.artifact_uri
    with TemporaryDirectory() as directory:
        text = _download(client, uri, artifacts.COMPARISON, Path(directory)).read_text(encoding="utf-8")
    return several_from_document(json.loads(text), partial(read_study, client))


def page(client: MlflowClient, of: str, name: str) -> str:
    """A text that was kept beside the study or comparison of that id."""
    if name not in (artifact.path for artifact in client.list_artifacts(of)):
        raise UsageError(f"{name} is not among the artifacts of {of}")
    with TemporaryDirectory() as directory:
        file = _download(client, client.get_run(of).info.artifact_uri, name, Path(directory))
        return file.read_text(encoding="utf-8")


def replications(client: MlflowClient, experiment_id: str, study_id: str) -> list[str]:
    """The runs of a study's replications."""
    children = _children(client, experiment_id, study_id, entities.REPLICATION)
    return [run.info.run_id for run in children]


def origin(client: MlflowClient, study_id: str) -> Origin:
    """What a study was started from."""
    run = client.get_run(study_id)
    if entities.FILE not in run.data.tags:
        raise UsageError(f"study {study_id} is of an earlier release, which did not record what it takes to go on")
    file = Path(run.data.tags[entities.FILE])
    with TemporaryDirectory() as directory:
        text = _download(client, run.info.artifact_uri, file.name, Path(directory)).read_text(encoding="utf-8")
    tags = run.data.tags
    warm_start, workload, across = (tags.get(name) for name in _OPTIONAL)
    is_quick = entities.QUICK in tags
    return Origin(file, text, json.loads(tags[entities.SEARCH]), warm_start, workload, across, is_quick)


def _download(client: MlflowClient, artifact_uri: str, name: str, directory: Path) -> Path:
    """By address: by the run's id MLflow would ask for the run twice more."""
    from mlflow.artifacts import download_artifacts

    address = f"{artifact_uri}/{name}"
    return Path(download_artifacts(artifact_uri=address, dst_path=str(directory), tracking_uri=client.tracking_uri))


def _children(client: MlflowClient, experiment_id: str, study_id: str, kind: str | None = None) -> Iterator[Any]:
    of_study = f"tags.`{entities.PARENT}` = '{study_id}'"
    return _runs(client, [experiment_id], of_study if kind is None else f"{of_study} and {_kind(kind)}")


def _kind(kind: str) -> str:
    return f"tags.`{entities.KIND}` = '{kind}'"


def _runs(client: MlflowClient, experiment_ids: list[str], where: str = "") -> Iterator[Any]:
    """All runs that match, the latest first."""
    latest_first = ["attributes.start_time DESC"]
    return _every(partial(client.search_runs, experiment_ids, where, order_by=latest_first))


def _every(search: Callable[..., Any]) -> Iterator[Any]:
    """What `search` finds on all of its pages."""
    token = None
    while True:
        page = search(max_results=_PAGE, page_token=token)
        yield from page
        token = page.token
        if not token:
            return


def _summary(run: Any) -> StudySummary:
    return StudySummary(
        study_id=run.info.run_id,
        name=run.data.tags["name"],
        started=_started(run),
        status=run.info.status,
    )


def _started(run: Any) -> datetime:
    return datetime.fromtimestamp(run.info.start_time / 1000, tz=timezone.utc)
