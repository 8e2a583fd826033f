"""What a study starts from: its experiment, an earlier study that it goes on with, or one that it learns from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from orchestrator.backend.port import report
from orchestrator.experiment import Experiment
from orchestrator.result import Configuration, StudyResult


@dataclass(frozen=True)
class StudyPlan:
    """An experiment, the study of it that is gone on with if there is one, and the one that it learns from.

    `finished`: the study has all of its trials, and is taken as it is. `parts`: of several workloads the plan of each,
    where an earlier run has begun with them; `compared` what that run has compared under this one.
    """

    experiment: Experiment
    resumed: StudyResult | None = None
    warm_start: StudyResult | None = None
    finished: bool = False
    compared: StudyResult | None = None
    parts: tuple[StudyPlan, ...] = ()

    def of_each_workload(self) -> list[StudyPlan]:
        """The studies that this one consists of: itself, or one for each workload."""
        if self.parts:
            return list(self.parts)
        return [replace(self, experiment=one) for one in self.experiment.workloads] or [self]

    def with_overrides(self, search: Mapping[str, Any]) -> StudyPlan:
        """The plan with other values in the section `search`; UsageError when one is not allowed."""
        parts = tuple(one.with_overrides(search) for one in self.parts)
        return replace(self, experiment=self.experiment.with_overrides(**search), parts=parts)


def observations(study: StudyResult) -> list[tuple[int, Configuration, dict[str, Any]]]:
    """Number, configuration and report of the trials that ended, as searchers take them."""
    return [(trial.number, trial.configuration, report(trial)) for trial in study.trials]
