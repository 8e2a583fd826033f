"""`show` and `export` of a store that has a comparison of workloads."""

import io
import json
from pathlib import Path

import pytest
import yaml
from rich.console import Console

from orchestrator.cli.export import exported_ref
from orchestrator.cli.show import show
from orchestrator.errors import UsageError
from orchestrator.result import Score, Status, StudyResult, TrialResult
from orchestrator.several import Searched, Several
from orchestrator.tracking.port import Origin
from tests.fakes.studies import MEASURED
from tests.fakes.tracker import MemoryTracker


class Ticks:
    """A second more at every look."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        self.now += 1
        return self.now


def trial(number, batch, value):
    deployed = {"applications": [{"name": f"batch-{batch}"}]}
    score = Score(value, 0.0 if value else 1.0, half_widths=(1.0,))
    return TrialResult(
        number, {"A.batch": batch}, Status.COMPLETE, measurement=MEASURED, score=score, export_config=deployed
    )


def keep(tracker, workload, *trials):
    origin = Origin(Path("/there/x.yaml"), "", {}, workload=workload)
    study_id = tracker.start_study("x", origin, "random", 0, "throughput_rps", True, {})
    for one in trials:
        tracker.start_trial(one.number, one.configuration)
        tracker.finish_trial(one)
    tracker.finish_study(StudyResult(study_id, f"x:{workload}", "random", 0, True, "throughput_rps", trials))
    return tracker.load_study(study_id)


@pytest.fixture
def stored():
    """(tracker, what it keeps): workloads few and many; `best` of the second configuration is 0 over the SLO."""

    def made(best=300):
        tracker = MemoryTracker(Ticks())
        searched = {w: Searched(keep(tracker, w, trial(0, 1, 100), trial(1, 8, 300))) for w in ("few", "many")}
        compared = {
            "few": keep(tracker, "few.compared", trial(0, 1, 100 if best else 0), trial(1, 8, best)),
            "many": keep(tracker, "many.compared", trial(0, 1, 100), trial(1, 8, 300)),
        }
        several = Several(searched, ({"A.batch": 1}, {"A.batch": 8}), compared)
        tracker.add_comparison("x", several, {}, "")
        return tracker

    return made


def shown(tracker, ref):
    console = Console(width=140, record=True, file=io.StringIO())
    show(console, tracker, ref, as_json=False)
    return " ".join(console.export_text().split())


@pytest.mark.parametrize("ref", ["x", "x.compared", None])
def test_an_experiment_with_workloads_shows_its_comparison_and_where_its_studies_are(stored, ref):
    tracker = stored()
    text = shown(tracker, ref)
    assert "For all workloads: [1] batch=8" in text
    assert f"Study of few: orchestrator show {tracker.load_study('x:few').study_id[:8]}" in text


def test_a_workload_by_itself_shows_its_study(stored):
    assert "x:many: throughput_rps, highest first" in shown(stored(), "x:many")


def test_the_document_of_a_comparison_is_that_of_the_run(stored, capsys):
    show(Console(), stored(), "x", as_json=True)
    document = json.loads(capsys.readouterr().out)
    assert (set(document["workloads"]), document["robust"]["contender"]) == ({"few", "many"}, 1)
    show(Console(), stored(), "x:few", as_json=True)
    assert json.loads(capsys.readouterr().out)["name"] == "x:few"


@pytest.mark.parametrize(
    ("ref", "number", "name"),
    [
        pytest.param("x", None, "batch-8", id="the compromise"),
        pytest.param("x", 0, "batch-1", id="another contender"),
        pytest.param("x:few", None, "batch-8", id="a workload's winner"),
        pytest.param(None, None, "batch-8", id="the latest is the comparison"),
    ],
)
def test_the_configuration_for_all_workloads_is_exported(stored, ref, number, name):
    text = exported_ref(stored(), ref, number)
    assert yaml.safe_load(text)["applications"][0]["name"] == name


def test_where_none_suits_all_workloads_there_is_nothing_to_export_but_theirs(stored):
    tracker = stored(best=0)
    with pytest.raises(
        UsageError, match=r"choose one with --trial N, or that of a workload: orchestrator export x:few"
    ):
        exported_ref(tracker, "x", None)
    assert exported_ref(tracker, "x", 1)
    with pytest.raises(UsageError, match="no trial 9"):
        exported_ref(tracker, "x", 9)
