"""`orchestrator checklist`: what is printed, what is asked of the node, and what a user may not ask for."""

import io
import re
from pathlib import Path

import pytest
from rich.console import Console

from orchestrator.checklist import Answer, Candidate, Kind, Rounds, Settled
from orchestrator.checklist.items import BATCHING, DISTILLATION, JPEG, SYSTEM
from orchestrator.cli.checklist import as_study, checklist_command, what_is_tried
from orchestrator.cli.checklist_tables import checklist_text, print_checklist
from orchestrator.errors import UsageError
from orchestrator.experiment import load_experiment
from orchestrator.pruning import Node
from orchestrator.result import Ratio
from tests.fakes.checklists import experiment

SPACES = Path(__file__).parents[2] / "search_spaces"
SIZE = "Classifier.user_config.max_batch_size"
FOUND = [
    Answer(BATCHING, Kind.GAIN, f"{SIZE}=32 ×1.62 (1.40–1.88)", change={SIZE: 32}, gain=Ratio(1.62, 1.4, 1.88, 0.95)),
    Answer(JPEG, Kind.NOT_APPLICABLE, "no request is a JPEG picture"),
    Answer(DISTILLATION, Kind.DECIDE, "half of a model would bring ×1.40 at most"),
]


def printed(found, file=None, one=None):
    console = Console(file=io.StringIO(), width=160)
    print_checklist(console, one or experiment(), found, file)
    return console.file.getvalue()


def test_each_item_has_a_line_and_the_gains_come_first():
    text = printed(FOUND, Path("digits.checklist.yaml"))
    assert re.search(r"▲ +batching +gain ", text)
    assert "does not apply" in text
    assert f"  1. batching: {SIZE}=32  ×1.62 (1.40–1.88) throughput_rps" in text
    assert "  2. distillation: half of a model would bring" in text
    assert "orchestrator run digits.checklist.yaml" in text


def test_where_nothing_promises_a_gain_that_is_said():
    text = printed([FOUND[1]])
    assert "There is nothing to do" in text
    assert "orchestrator run" not in text


def test_of_a_latency_a_gain_is_said_to_be_smaller():
    one = experiment(objective="{minimize: latency_p99_ms}")
    assert "×1.62 (1.40–1.88) p99, smaller by so many times" in printed(FOUND, one=one)
    assert "▲" in checklist_text(one, FOUND)


def test_what_does_not_fit_on_the_node_is_not_tried():
    small, large = Node({"CPU": 2.0}), Node({"CPU": 4.0})
    greedy = experiment(
        app="{import_path: 'my.app:build', deployments: [{name: Classifier, ray_actor_options: {num_cpus: 2}}]}",
        space="{Classifier.num_replicas: {randint: [1, 4]}}",
    )
    asked = [one for one in what_is_tried(greedy, small, 0.0) if one.item is SYSTEM]
    assert [type(one) for one in asked] == [Settled]
    assert "needs 4 CPU" in asked[0].finding
    assert Candidate(SYSTEM, {"Classifier.num_replicas": 4}) in what_is_tried(experiment(), large, 0.0)


def test_the_study_of_a_checklist_has_short_loads_and_confirms_nothing_else():
    resnet = load_experiment(SPACES / "resnet.yaml").workloads[0]
    study = as_study(resnet, Rounds([], maximize=True, precision=0.1))
    assert (study.measure.warmup_max_s, study.measure.min_s, study.measure.max_s) == (3, 5, 10)
    assert (study.title, study.confirm.top) == ("resnet.checklist:1-client", 0)


SERVED = [file for file in sorted(SPACES.glob("*.yaml")) if not load_experiment(file).is_offline]


@pytest.mark.parametrize("file", SERVED, ids=lambda file: file.name)
def test_for_every_experiment_that_serves_there_is_something_to_try(file):
    one = load_experiment(file)
    tried = what_is_tried((one.workloads or (one,))[0], Node({"CPU": 2.0}), jpegs=1.0)
    assert any(isinstance(each, Candidate) for each in tried)


def test_a_file_that_is_there_is_not_overwritten(tmp_path):
    (tmp_path / "mine.yaml").write_text("mine")
    with pytest.raises(UsageError, match=r"mine\.yaml exists, and is not overwritten: name a new file with -o"):
        checklist_command(experiment(), tmp_path / "mine.yaml", "4m", None, None, False)


def test_a_job_is_not_served():
    with pytest.raises(UsageError, match=r"profile\.yaml has mode: offline, and the checklist is about what is served"):
        checklist_command(load_experiment(SPACES / "profile.yaml"), None, "4m", None, None, False)


def test_a_budget_is_a_duration(tmp_path):
    with pytest.raises(UsageError, match="--budget found"):
        checklist_command(experiment(), tmp_path / "new.yaml", "soon", None, None, False)
