"""`orchestrator checklist`: what is done, what is to be gained, and an experiment that searches what promises it."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from orchestrator.checklist import (
    Answer,
    Candidate,
    Rounds,
    Settled,
    answers,
    checklist_document,
    facts_of,
    header,
    of_arguments,
    of_settings,
    promising,
    releases,
    tried,
    written,
)
from orchestrator.cli.checklist_tables import checklist_text, print_checklist
from orchestrator.cli.display import StudyDisplay
from orchestrator.cli.output import own_output, screen
from orchestrator.cli.probe import shortened
from orchestrator.cli.run import INTERRUPTED, LOG
from orchestrator.cli.stop import StopSignals
from orchestrator.cluster import Cluster
from orchestrator.errors import UsageError
from orchestrator.experiment import ConfirmPlan, Experiment, configured, read_experiment
from orchestrator.knob import Choice
from orchestrator.plain import seconds
from orchestrator.pruning import Node
from orchestrator.pruning.resources import lacking
from orchestrator.result import Configuration
from orchestrator.serve_config import to_yaml
from orchestrator.space import Space
from orchestrator.tracking.port import Tracker

NAME = "checklist"
AGAIN = "once more, in turn with the baseline: what may be worth it"
DOCUMENT, TABLE = "checklist.json", "checklist.txt"
"""What is kept beside the study in the store, and the experiment that was written."""


@dataclass(frozen=True)
class Request:
    """What is asked for: the experiment, the file to write, and no measurement after `budget_s`."""

    experiment: Experiment
    file: Path
    budget_s: float
    address: str | None = None
    tracking_uri: str | None = None


@dataclass(frozen=True)
class Outcome:
    """What was found, and the text of the experiment for what promises something: empty for nothing."""

    asked: Request
    study_id: str
    answers: Sequence[Answer]
    text: str

    @property
    def file(self) -> Path | None:
        """The one that is written, if there is something to write."""
        return self.asked.file if self.text else None

    @property
    def document(self) -> dict:
        """For scripts."""
        experiment, file = self.asked.experiment, str(self.file) if self.file else None
        return checklist_document(experiment.title, self.study_id, str(experiment.objective), self.answers, file)


def checklist_command(
    experiment: Experiment,
    output: Path | None,
    budget: str,
    address: str | None,
    tracking_uri: str | None,
    as_json: bool,
) -> int:
    """Measures, prints the answers, writes the file; returns the exit code."""
    if experiment.is_offline:
        raise UsageError(f"{experiment.file.name} has mode: offline, and the checklist is about what is served")
    chosen = (experiment.workloads or (experiment,))[0]
    file = output or Path(f"{chosen.name}.{NAME}.yaml")
    if file.exists():
        raise UsageError(f"{file} exists, and is not overwritten: name a new file with -o")
    try:
        asked = Request(chosen, file, seconds(budget), address, tracking_uri)
    except ValueError as error:
        raise UsageError(f"--budget {error}") from None
    with own_output(Path.cwd() / LOG) as out:
        console = screen(out.stderr if as_json else out.stdout)
        try:
            with StopSignals(lambda: console.print("cleaning up, a few seconds more …")) as stop:
                found = _run(console, stop, asked)
        except KeyboardInterrupt:
            console.print("[yellow]Interrupted.[/] Nothing was written; `orchestrator show` lists what was measured.")
            return INTERRUPTED
        if found.file is not None:
            found.file.write_text(found.text, encoding="utf-8")
        if as_json:
            print(json.dumps(found.document, indent=2), file=out.stdout)
        else:
            print_checklist(console, chosen, found.answers, found.file)
    return 0


def _run(console: Console, stop: StopSignals, asked: Request) -> Outcome:
    experiment = asked.experiment
    with StudyDisplay(console, experiment) as display:
        display.doing("opening the tracking store")
        # Slow imports, and Ray's must not come before the environment of the cluster is known.
        from orchestrator.cluster import open_cluster
        from orchestrator.tracking import open_tracker
        from orchestrator.workload.contents import jpeg_share
        from orchestrator.workload.precheck import check_payloads

        tracker = open_tracker(asked.tracking_uri, Path.cwd())
        sent = (experiment.workload, experiment.file.parent, experiment.load.items_per_request)
        check_payloads(*sent)
        jpegs = jpeg_share(*sent)
        address = asked.address
        display.doing(f"connecting to the Ray cluster at {address}" if address else "starting a Ray cluster")
        with open_cluster(address, experiment.cluster.data_plane, experiment.cluster.num_cpus) as cluster:
            stop.arm()
            try:
                display.doing("starting Ray Serve")
                found = _measured(asked, jpegs, cluster, tracker, display)
            finally:
                display.doing("stopping Ray Serve and the cluster")
    _keep(found, tracker)
    return found


def _measured(asked: Request, jpegs: float, cluster: Cluster, tracker: Tracker, display: StudyDisplay) -> Outcome:
    from orchestrator.cli.session import Session
    from orchestrator.cluster import ask_cluster
    from orchestrator.environment import installed
    from orchestrator.search import RoundsSearch

    experiment, here = asked.experiment, ask_cluster(installed)
    # Where replicas may be anywhere, a node has at least what its own processes may use.
    nodes = cluster.trial_resources or ({"CPU": here.cores},)
    node = Node(Node.largest_of(nodes).resources, others=0.0 if cluster.trial_resources else math.inf)
    every = what_is_tried(experiment, node, jpegs)
    candidates = [one for one in every if isinstance(one, Candidate)]
    precision = experiment.measure.precision
    rounds = Rounds(candidates, experiment.objective.maximize, precision)
    searcher = RoundsSearch(rounds, asked.budget_s)
    study = Session(cluster, tracker, display).measure(as_study(experiment, rounds), searcher, AGAIN)
    known = [*releases(here.releases, here.python)]
    facts = facts_of(experiment, study, known, here.gpu_driver, cluster.data_plane)
    came = tried(study, rounds.candidates, rounds.control, precision)
    found = answers(facts, came, [one for one in every if isinstance(one, Settled)])
    return Outcome(asked, study.study_id, found, experiment_text(experiment, found, asked.file))


def what_is_tried(experiment: Experiment, node: Node, jpegs: float) -> list[Candidate | Settled]:
    """On a node; `jpegs` is the share of the requests that are such pictures."""

    def why_not(configuration: Configuration) -> str:
        finding = lacking(configured(experiment, configuration).app, node)
        return finding.sentence if finding else ""

    cores = max(1, math.floor(node.has("CPU")))
    return [*of_settings(experiment, cores, why_not), *of_arguments(experiment, jpegs)]


def as_study(experiment: Experiment, rounds: Rounds) -> Experiment:
    """The experiment as the study in which the rounds are measured: its space is what is tried, its loads are short."""
    values: dict[str, list] = {}
    for changes in rounds.configurations.values():
        for path, value in changes.items():
            values.setdefault(path, []).append(value)
    knobs = {path: Choice(values=tuple(dict.fromkeys(every))) for path, every in values.items()}
    search = {"algorithm": NAME, "trials": len(rounds.configurations) - 1}
    return experiment.model_copy(
        update={
            "name": f"{experiment.name}.{NAME}",
            "space": Space(knobs=knobs),
            "measure": shortened(experiment.measure),
            "search": experiment.search.model_copy(update=search),
            "confirm": ConfirmPlan(top=0),
            "across": None,
        }
    )


def experiment_text(experiment: Experiment, found: Sequence[Answer], file: Path) -> str:
    """The experiment that searches what is promising, as it stands in `file`; "" where nothing is."""
    worth = promising(found)
    if not worth:
        return ""
    text = to_yaml(written(experiment, worth, file.absolute().parent), header(experiment, worth))
    read_experiment(text, file)  # what is written is valid
    return text


def _keep(found: Outcome, tracker: Tracker) -> None:
    """Beside the study in the store."""
    pages = {
        DOCUMENT: json.dumps(found.document, indent=2),
        TABLE: checklist_text(found.asked.experiment, found.answers),
        **({found.file.name: found.text} if found.file else {}),
    }
    tracker.add_pages(found.study_id, pages, f"What the checklist found: `{TABLE}` among the artifacts.")
