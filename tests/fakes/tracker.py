"""A tracker that keeps studies in memory; it passes the same contract as the one over MLflow."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timezone

from orchestrator.confirmation import confirmed
from orchestrator.errors import UsageError
from orchestrator.result import StudyResult
from orchestrator.tracking.port import Comparison, StudySummary, find_study


class MemoryTracker:
    """`started`, `killed` and `finished` say what it was told, for tests of its callers."""

    def __init__(self, clock=lambda: 0.0):
        self._clock = clock
        self._studies = []  # (StudySummary, StudyResult) in the order they were started
        self._origins = {}
        self._open = False
        self.started = {}  # number -> configuration, of the trials under way
        self.killed = []
        self.finished = []
        self.pages = {}  # study id -> (pages, description)
        self._comparisons = {}  # id -> (Comparison, Several)

    def start_study(
        self,
        experiment_name,
        origin,
        algorithm,
        seed,
        objective,
        maximize,
        environment,
        further=(),
    ):
        study_id = f"{len(self._studies) + 1:032x}"[::-1]  # like MLflow's: the first digit tells them apart
        started = datetime.fromtimestamp(self._clock(), tz=timezone.utc)
        summary = StudySummary(study_id, origin.title(experiment_name), started, "RUNNING")
        study = StudyResult(study_id, origin.title(experiment_name), algorithm, seed, maximize, objective, (), further)
        study = replace(study, across=origin.across or "")
        self._studies.append((summary, study))
        self._origins[study_id] = origin
        self._open = True
        return study_id

    def resume_study(self, study_id):
        place = next(i for i, (summary, _) in enumerate(self._studies) if summary.study_id == study_id)
        summary, study = self._studies.pop(place)
        self._studies.append((summary, replace(study, replications=())))  # the latest one is the open one
        self._summarise(status="RUNNING")
        self._open = True

    def origin(self, study_id):
        return self._origins[study_id]

    def start_trial(self, number, configuration, confirms=None):
        self.started[number] = configuration

    def finish_trial(self, result):
        del self.started[result.number]
        summary, study = self._studies[-1]
        kind = "trials" if result.confirms is None else "replications"
        ended = sorted((*getattr(study, kind), replace(result, samples=None)), key=lambda trial: trial.number)
        self._studies[-1] = summary, replace(study, **{kind: tuple(ended)})

    def finish_study(self, study):
        self.finished.append(study)
        summary, kept = self._studies[-1]
        self._studies[-1] = summary, replace(kept, pruned=study.pruned)
        self._summarise(status="FINISHED")
        self._open = False

    def add_pages(self, study_id, pages, description):
        self.pages[study_id] = dict(pages), description

    def add_comparison(self, name, several, pages, description):
        comparison_id = f"c{len(self._comparisons) + 1:031x}"
        started = datetime.fromtimestamp(self._clock(), tz=timezone.utc)
        self._comparisons[comparison_id] = Comparison(comparison_id, name, started), several
        self.add_pages(comparison_id, pages, description)
        return comparison_id

    def page(self, of, name):
        pages, _ = self.pages.get(of, ({}, ""))
        if name not in pages:
            raise UsageError(f"{name} is not among the artifacts of {of}")
        return pages[name]

    def comparisons(self):
        return [comparison for comparison, _ in reversed(self._comparisons.values())]

    def load_comparison(self, comparison_id):
        several = self._comparisons[comparison_id][1]
        searched = {w: replace(one, study=self.load_study(one.study.study_id)) for w, one in several.searched.items()}
        compared = {w: self.load_study(study.study_id) for w, study in several.compared.items()}
        return replace(several, searched=searched, compared=compared)

    def kill(self, reason):
        if self._open:
            self.killed.append(reason)
            self.started.clear()
            self._summarise(status="KILLED")
        self._open = False

    def studies(self):
        return sorted((summary for summary, _ in self._studies), key=lambda summary: summary.started, reverse=True)

    def load_study(self, ref):
        wanted = find_study(ref, self.studies()).study_id
        return confirmed(next(study for _, study in self._studies if study.study_id == wanted))

    def _summarise(self, **changes):
        summary, study = self._studies[-1]
        self._studies[-1] = replace(summary, **changes), study
