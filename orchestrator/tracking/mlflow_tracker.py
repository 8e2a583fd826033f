"""A study as MLflow runs: one parent run, one child run per trial or replication, written by the driver alone."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import orchestrator
from orchestrator.document import objective_document, several_document
from orchestrator.errors import TrackingError
from orchestrator.result import BASELINE, Configuration, Objective, Status, StudyResult, TrialResult
from orchestrator.several import Several
from orchestrator.tracking import archive, artifacts, entities, store
from orchestrator.tracking.port import COMPARED, FINISHED, Comparison, Origin, StudySummary

if TYPE_CHECKING:
    from mlflow import MlflowClient


def open_tracker(tracking_uri: str | None, root: Path) -> MlflowTracker:
    """The tracker of the store at `tracking_uri`, or of the SQLite store under `root`/mlruns when it is None.

    TrackingError, within seconds, when the store cannot be used.
    """
    uri = tracking_uri or store.default_uri(root)
    return MlflowTracker(store.connect(uri), uri, store.artifact_location(uri, root))


class MlflowTracker:
    """A `Tracker` over an MLflow client.

    `artifact_location` is where new experiments keep artifacts (None: the server decides); `clock` gives
    seconds since the epoch.
    """

    def __init__(
        self,
        client: MlflowClient,
        uri: str,
        artifact_location: str | None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.uri = uri
        self._client = client
        self._artifact_location = artifact_location
        self._clock = clock
        self._experiment_id = ""
        self._study_id: str | None = None  # the open study's run
        self._runs: dict[int, str] = {}  # number -> run, of the trials under way

    def start_study(
        self,
        experiment_name: str,
        origin: Origin,
        algorithm: str,
        seed: int,
        objective: str,
        maximize: bool,
        environment: Mapping[str, Any],
        further: Sequence[Objective] = (),
    ) -> str:
        """Open the parent run; its id is the study's id."""
        facts = entities.flat(environment)
        tags = {
            entities.KIND: entities.STUDY,
            "name": origin.title(experiment_name),
            "algorithm": algorithm,
            "seed": seed,
            "objective": objective,
            "maximize": maximize,
            entities.FURTHER: [objective_document(one) for one in further] or None,
            entities.FILE: str(origin.file),
            entities.SEARCH: origin.search,
            entities.WARM_START: origin.warm_start,
            entities.WORKLOAD: origin.workload,
            entities.ACROSS: origin.across,
            entities.QUICK: origin.quick or None,
            "orchestrator_version": orchestrator.__version__,
            "mlflow.source.git.commit": facts.get("git.commit"),
        }
        with store.explained(self.uri):
            self._experiment_id = self._experiment(experiment_name)
            study_id = self._create_run(origin.title(experiment_name), tags)
            self._study_id, self._runs = study_id, {}
            with self._killed_on_error():
                entities.log(self._client, study_id, self._now_ms(), params=facts)
                with TemporaryDirectory() as directory:
                    artifacts.write_study(Path(directory), origin.file.name, origin.text, environment)
                    self._client.log_artifacts(study_id, directory)
        return study_id

    def resume_study(self, study_id: str) -> None:
        """Open the parent run again."""
        with store.explained(self.uri):
            parent = self._client.get_run(study_id)
            self._experiment_id = parent.info.experiment_id
            self._study_id, self._runs = study_id, {}
            if entities.TRIALS in parent.data.tags:  # the file of them is out of date from here on
                self._client.delete_tag(study_id, entities.TRIALS)
            for run_id in archive.replications(self._client, self._experiment_id, study_id):
                self._client.set_tag(run_id, entities.KIND, entities.SUPERSEDED)
            for run_id in self._running_trials(study_id):  # of a process that was killed and could not say so
                self._terminate(run_id, "KILLED")
            self._client.update_run(study_id, status="RUNNING")

    def origin(self, study_id: str) -> Origin:
        """From tags and the artifact of the parent run."""
        with store.explained(self.uri):
            return archive.origin(self._client, study_id)

    def start_trial(self, number: int, configuration: Configuration, confirms: int | None = None) -> None:
        """Open a child run with the knobs as params."""
        name = "baseline" if number == BASELINE else f"trial-{number:02d}"
        tags = {entities.KIND: entities.TRIAL, entities.PARENT: self._study_id, "trial": number}
        if confirms is not None:
            tags |= {entities.KIND: entities.REPLICATION, "confirms": confirms}
            name = f"{name}-confirms-{confirms:02d}"
        with store.explained(self.uri):
            self._runs[number] = self._create_run(name, tags)
            entities.log(self._client, self._runs[number], self._now_ms(), params=configuration)

    def finish_trial(self, result: TrialResult) -> None:
        """Close the child run; a run with a status tag has its artifacts already, so it can be restored."""
        run_id = self._runs[result.number]
        tags = entities.tags(entities.trial_tags(result))
        with store.explained(self.uri):
            with TemporaryDirectory() as directory:
                artifacts.write_trial(Path(directory), result)
                self._client.log_artifacts(run_id, directory)
            figures = entities.trial_metrics(result)
            entities.log(self._client, run_id, self._now_ms(), metrics=figures, tags=tags)
            self._terminate(run_id, "FINISHED" if result.status is Status.COMPLETE else "FAILED")
        del self._runs[result.number]

    def finish_study(self, study: StudyResult) -> None:
        """Close the parent run with the best trial's figures and the Serve config to deploy."""
        best, winner = study.best, study.recommended
        tags = entities.tags(
            {
                "best_trial": best.number if best else None,
                "recommended_trial": winner.number if winner else None,
                entities.PRUNED: study.pruned or None,
                entities.TRIALS: len(study.trials),
            }
        )
        with store.explained(self.uri):
            with TemporaryDirectory() as directory:
                artifacts.write_trials(Path(directory) / artifacts.TRIALS, (*study.trials, *study.replications))
                if winner is not None:
                    deployed = winner.export_config or winner.serve_config
                    artifacts.write_serve_config(Path(directory) / artifacts.WINNER, deployed)
                self._client.log_artifacts(study.study_id, directory)
            figures = entities.study_metrics(study)
            entities.log(self._client, study.study_id, self._now_ms(), metrics=figures, tags=tags)
            self._terminate(study.study_id, FINISHED)
        self._study_id = None

    def add_pages(self, study_id: str, pages: Mapping[str, str], description: str) -> None:
        """As artifacts, and as the text at the head of the run's page."""
        with store.explained(self.uri):
            for name, content in pages.items():
                self._client.log_text(study_id, content, name)
            self._client.set_tag(study_id, entities.NOTE, description)

    def add_comparison(self, name: str, several: Several, pages: Mapping[str, str], description: str) -> str:
        """A run over those of its studies, which it becomes the parent of."""
        studies = (*(one.study for one in several.searched.values()), *several.compared.values())
        document = json.dumps(several_document(several), indent=2, allow_nan=False)
        with store.explained(self.uri):
            self._experiment_id = self._experiment(name)
            run_id = self._create_run(f"{name}.{COMPARED}", {entities.KIND: entities.COMPARISON, "name": name})
            for study in studies:
                self._client.set_tag(study.study_id, entities.PARENT, run_id)
            entities.log(self._client, run_id, self._now_ms(), metrics=entities.comparison_metrics(several))
            self.add_pages(run_id, {**pages, artifacts.COMPARISON: document}, description)
            self._terminate(run_id, FINISHED)
        return run_id

    def page(self, of: str, name: str) -> str:
        """A text that was kept beside a study or a comparison; UsageError where there is none of that name."""
        with store.explained(self.uri):
            return archive.page(self._client, of, name)

    def comparisons(self) -> list[Comparison]:
        """Every comparison in the store, the latest first."""
        with store.explained(self.uri):
            return archive.comparisons(self._client)

    def load_comparison(self, comparison_id: str) -> Several:
        """From the document of the comparison, and the studies that it names."""
        with store.explained(self.uri):
            return archive.load_comparison(self._client, comparison_id)

    def kill(self, reason: str) -> None:
        """Close every run of the open study that still runs; the store is asked, so none is missed."""
        if self._study_id is None:
            return
        tags = entities.tags({"killed": reason})
        with store.explained(self.uri):
            for run_id in [*self._running_trials(self._study_id), self._study_id]:
                entities.log(self._client, run_id, self._now_ms(), tags=tags)
                self._terminate(run_id, "KILLED")
        self._study_id, self._runs = None, {}

    def studies(self) -> list[StudySummary]:
        """Every study in the store, the latest first."""
        with store.explained(self.uri):
            return archive.studies(self._client)

    def load_study(self, ref: str | None) -> StudyResult:
        """The trials that ended, without their samples; `ref` as for `port.find_study`."""
        with store.explained(self.uri):
            return archive.load_study(self._client, ref)

    @contextmanager
    def _killed_on_error(self) -> Iterator[None]:
        """For a study that its caller does not have in hand yet and could not end."""
        try:
            yield
        except BaseException:
            with suppress(TrackingError):
                self.kill("the study could not be recorded")
            raise

    def _experiment(self, name: str) -> str:
        """The id of the experiment of that name: created, or restored if it was deleted."""
        found = self._client.get_experiment_by_name(name)
        if found is None:
            return self._client.create_experiment(name, self._artifact_location, entities.EXPERIMENT_TAGS)
        if found.lifecycle_stage == "deleted":
            self._client.restore_experiment(found.experiment_id)
        return found.experiment_id

    def _create_run(self, name: str, tags: Mapping[str, Any]) -> str:
        run = self._client.create_run(
            self._experiment_id,
            start_time=self._now_ms(),
            run_name=name,
            tags={**entities.who(), **entities.tags(tags)},
        )
        return run.info.run_id

    def _running_trials(self, study_id: str) -> list[str]:
        children = f"tags.`{entities.PARENT}` = '{study_id}' and attributes.status = 'RUNNING'"
        return [run.info.run_id for run in self._client.search_runs([self._experiment_id], children)]

    def _terminate(self, run_id: str, status: str) -> None:
        self._client.set_terminated(run_id, status, end_time=self._now_ms())

    def _now_ms(self) -> int:
        return int(self._clock() * 1000)
