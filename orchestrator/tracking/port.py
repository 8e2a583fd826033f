"""What the orchestrator asks of a tracker: written by one driver during a study, read by any command."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from orchestrator.errors import UsageError
from orchestrator.result import Configuration, Objective, StudyResult, TrialResult
from orchestrator.several import Several

FINISHED = "FINISHED"
"""Status of a study that came to its end."""

COMPARED = "compared"
"""Ends the name of what the configurations that came out of several workloads are compared in."""

_LISTED = 10  # studies named in an error; enough to recognise one's own


@dataclass(frozen=True)
class StudySummary:
    """One line of the list of studies.

    `status` is RUNNING, FINISHED, FAILED or KILLED.
    """

    study_id: str
    name: str
    started: datetime
    status: str


@dataclass(frozen=True)
class Comparison:
    """What several workloads of an experiment, whose `name` it has, came to: one line of the list of these."""

    comparison_id: str
    name: str
    started: datetime

    @property
    def title(self) -> str:
        """How it is listed in the store."""
        return f"{self.name}.{COMPARED}"


@dataclass(frozen=True)
class Origin:
    """What a study was started from: where its experiment file was, what stood in it, and what options changed.

    `search` is the file's section of that name after the command line's options; `warm_start` the id of the study that
    this one learned from, if there is one; `workload` the name of the one that it is for, of those in the file;
    `across` the knob for all of whose values one configuration is to be found; `quick` whether it was a first look.
    """

    file: Path
    text: str
    search: Mapping[str, Any]
    warm_start: str | None = None
    workload: str | None = None
    across: str | None = None
    quick: bool = False

    def title(self, experiment_name: str) -> str:
        """The study's name: the experiment's, and the workload's where there are several."""
        return experiment_name if self.workload is None else f"{experiment_name}:{self.workload}"


class Tracker(Protocol):
    """Keeps one study at a time and reads back all of them; every method may raise TrackingError."""

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
        """Open a study and return its id; `environment` is what `describe_environment` returned.

        `objective` is the figure that leads it, `further` has the objectives beside it.
        """
        ...

    def resume_study(self, study_id: str) -> None:
        """Open a study of the store again, to add trials; the replications that it has do not count any more."""
        ...

    def origin(self, study_id: str) -> Origin:
        """What a study was started from."""
        ...

    def start_trial(self, number: int, configuration: Configuration, confirms: int | None = None) -> None:
        """Record that trial `number`, or that replication of the trial `confirms`, is under way."""
        ...

    def finish_trial(self, result: TrialResult) -> None:
        """Record how a started trial ended; KeyError when it was never started."""
        ...

    def finish_study(self, study: StudyResult) -> None:
        """Record the study's outcome and close it."""
        ...

    def add_pages(self, study_id: str, pages: Mapping[str, str], description: str) -> None:
        """Keep texts {file name: content} beside a study, and a description of it in Markdown."""
        ...

    def add_comparison(self, name: str, several: Several, pages: Mapping[str, str], description: str) -> str:
        """Keep what the studies of an experiment of that name say together, with texts as of `add_pages`; its id."""
        ...

    def page(self, of: str, name: str) -> str:
        """A text of `add_pages` or `add_comparison`, by the id of its study or comparison; UsageError if not there."""
        ...

    def comparisons(self) -> list[Comparison]:
        """Every comparison in the store, the latest first."""
        ...

    def load_comparison(self, comparison_id: str) -> Several:
        """What was kept, of the studies as they are by now."""
        ...

    def kill(self, reason: str) -> None:
        """Mark what is still running of the open study as killed; does nothing when no study is open."""
        ...

    def studies(self) -> list[StudySummary]:
        """Every study in the store, the latest first."""
        ...

    def load_study(self, ref: str | None) -> StudyResult:
        """The trials that ended, without their samples; `ref` as for `find_study` (UsageError if unknown)."""
        ...


def find_comparison(
    ref: str | None, comparisons: Sequence[Comparison], studies: Sequence[StudySummary]
) -> Comparison | None:
    """The comparison that `ref` names, as `find_study` does it for studies; None where it names none, or a study.

    An experiment that has had both is what came last, and so is everything where `ref` is None.
    """
    found = next((one for one in comparisons if ref in (None, one.name, one.title, one.comparison_id)), None)
    rival = next((one for one in studies if ref in (None, one.name, one.study_id)), None)
    if found is None and rival is None and ref:
        begun = [one for one in comparisons if one.comparison_id.startswith(ref)]
        others = [one for one in studies if one.study_id.startswith(ref)]
        return begun[0] if len(begun) == 1 and not others else None
    return found if rival is None or (found is not None and found.started >= rival.started) else None


def find_study(ref: str | None, studies: Sequence[StudySummary]) -> StudySummary:
    """The study that `ref` names among `studies` (the latest first).

    None is the latest study; otherwise a study id, an experiment's name (its latest study) or a unique
    beginning of an id. UsageError, listing what there is, for anything else.
    """
    if not studies:
        raise UsageError("there is no study in this store yet: run one with `orchestrator run <experiment.yaml>`")
    if ref is None:
        return studies[0]
    exact = [study for study in studies if ref in (study.study_id, study.name)]
    if exact:
        return exact[0]
    matches = [study for study in studies if ref and study.study_id.startswith(ref)]
    if len(matches) == 1:
        return matches[0]
    if matches:
        raise UsageError(
            f"{ref!r} is the beginning of {len(matches)} studies; write more of the id:\n{_listing(matches)}"
        )
    if parts := [study for study in studies if study.name.startswith(f"{ref}:")]:
        raise UsageError(f"{ref!r} has a study for each workload, name one of them (latest first):\n{_listing(parts)}")
    raise UsageError(f"no study {ref!r}; there are (latest first):\n{_listing(studies)}")


def of_workloads(name: str, studies: Sequence[StudySummary]) -> list[StudySummary]:
    """The studies of an experiment's workloads, the latest first; none where `name` names a study by itself."""
    if any(name in (study.study_id, study.name) for study in studies):
        return []
    return [one for one in studies if one.name.startswith(f"{name}:") and not one.name.endswith(f".{COMPARED}")]


def latest_run(titles: Sequence[str], studies: Sequence[StudySummary]) -> dict[str, StudySummary]:
    """The studies that the latest run over workloads came to, by their titles, of which `titles` has all in order.

    A run begins with the first workload: what was started before its latest study belongs to another run.
    """
    latest = {study.name: study for study in reversed(studies) if study.name in titles}
    first = latest.get(titles[0])
    return {name: one for name, one in latest.items() if first is None or one.started >= first.started}


def _listing(studies: Sequence[StudySummary]) -> str:
    lines = [f"  {s.study_id}  {s.name}  {s.started:%Y-%m-%d %H:%M}  {s.status}" for s in studies[:_LISTED]]
    more = len(studies) - len(lines)
    return "\n".join([*lines, f"  … and {more} more"] if more else lines)
