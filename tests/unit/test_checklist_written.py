"""The experiment that a checklist writes: one that can be run, about the knobs that promised something."""

from pathlib import Path

import pytest
import yaml

from orchestrator.checklist import Candidate, End, Rounds, Tried, answers, facts_of, header, promising, tried, written
from orchestrator.checklist.items import BATCHING, ENGINE, INT8, IO, PINNING, SYSTEM
from orchestrator.cli.checklist import as_study, experiment_text
from orchestrator.experiment import read_experiment
from orchestrator.result import Ratio, Status
from tests.fakes.checklists import TEXT, Measured, experiment

SIZE, REPLICAS = "Classifier.user_config.max_batch_size", "Classifier.num_replicas"
WAIT = "Classifier.user_config.batch_wait_timeout_s"


def of(item, changes, end=End.GAIN, value=1.5):
    return Tried(Candidate(item, changes), end, Ratio(value, value - 0.1, value + 0.1, 0.95))


def read_back(made, file=Path("/somewhere/digits.checklist.yaml")):
    return read_experiment(yaml.safe_dump(made, sort_keys=False), file)


def made_of(*found, one=None):
    return read_back(written(one or experiment(), found, Path("/somewhere")))


def test_a_knob_of_the_file_stays_and_others_have_the_baselines_value_and_what_was_tried():
    made = made_of(of(BATCHING, {SIZE: 32, WAIT: 0.001}), of(SYSTEM, {REPLICAS: 2}))
    assert made.space.knobs[SIZE].values == (1, 2, 4, 8, 16, 32, 64)
    assert made.space.knobs[WAIT].values == (0.0, 0.001)
    assert made.space.knobs[REPLICAS].values == (1, 2)
    assert made.baseline() == {SIZE: 1, WAIT: 0.0, REPLICAS: 1}


def test_a_conditional_knob_becomes_a_plain_one():
    branches = "{args.model: {condition: {digits: {Classifier.num_replicas: {randint: [1, 2]}}, clothing: {}}}}"
    made = made_of(of(SYSTEM, {REPLICAS: 2}), of(ENGINE, {"args.model": "clothing"}), one=experiment(space=branches))
    assert made.space.knobs["args.model"].values == ("digits", "clothing")
    assert made.space.knobs[REPLICAS].values == (1, 2)


def test_an_argument_that_the_file_does_not_state_starts_from_what_is_usual():
    made = made_of(of(INT8, {"args.precision": "int8"}), of(INT8, {"args.precision": "int8_static"}))
    assert made.app["args"] == {"model": "digits", "precision": "fp32"}
    assert made.space.knobs["args.precision"].values == ("fp32", "int8", "int8_static")


def test_who_gains_by_the_usual_value_has_another_one_now():
    made = made_of(of(INT8, {"args.padding": "longest"}), of(INT8, {"args.padding": "bucketed"}))
    assert made.space.knobs["args.padding"].values == ("max", "longest", "bucketed")


@pytest.mark.parametrize("path", ["args.threads", "args.pinning", "args.engine", "args.padding", "args.decoder"])
def test_every_argument_that_is_tried_has_a_usual_value(path):
    assert made_of(of(PINNING, {path: 7})).space.knobs[path].values[1] == 7


def test_the_encoding_of_requests_can_be_searched_too():
    json = experiment(workload="{payloads: 'serve_apps.payloads:clothing', encoding: json}")
    made = made_of(of(IO, {"workload.encoding": "binary"}), one=json)
    assert made.space.knobs["workload.encoding"].values == ("json", "binary")


def test_of_several_workloads_it_is_about_the_one_that_was_measured():
    workloads = (
        "[{name: few, load: {closed_loop: {concurrency: 2}}}, {name: many, load: {closed_loop: {concurrency: 64}}}]"
    )
    many = experiment(workloads=workloads).of_workload("many")
    made = made_of(of(SYSTEM, {REPLICAS: 2}), one=many)
    assert (made.workloads, made.load.traffic.concurrency) == ((), 64)


def test_files_are_found_from_where_the_new_file_lies():
    text = TEXT.replace('{payloads: "serve_apps.payloads:digits"}', "{payloads: in/requests.jsonl, path: /infer}")
    made = written(
        experiment(text, Path("/home/me/experiments/digits.yaml")), [of(SYSTEM, {REPLICAS: 2})], Path("/home")
    )
    assert made["workload"]["payloads"] == "me/experiments/in/requests.jsonl"


PROMISE = {
    "a gain": (End.GAIN, 1.5, True),
    "what may be one": (End.OPEN, 1.1, True),
    "what is rather none": (End.OPEN, 0.9, False),
    "what breaks the SLO": (End.BREAKS, 2.0, False),
    "what is none": (End.NO_GAIN, 1.0, False),
}


@pytest.mark.parametrize(("end", "value", "promises"), PROMISE.values(), ids=PROMISE)
def test_what_is_promising(end, value, promises):
    study = Measured({}).study(Rounds([], maximize=True, precision=0.05))
    found = answers(facts_of(experiment(), study), [of(INT8, {"args.precision": "int8"}, end, value)], [])
    assert bool(promising(found)) is promises


def test_the_head_of_the_file_says_what_was_measured_and_warns_of_accuracy():
    text = header(experiment(), [of(INT8, {"args.precision": "int8"})])
    assert "args.precision=int8 ×1.50 (1.40–1.60)" in text
    assert "slo: {min_accuracy: 0.99}" in text


def test_nothing_is_written_where_nothing_is_promising(tmp_path):
    study = Measured({}).study(Rounds([], maximize=True, precision=0.05))
    assert experiment_text(experiment(), answers(facts_of(experiment(), study), [], []), tmp_path / "new.yaml") == ""


def test_what_is_measured_and_what_is_written_go_together(tmp_path):
    """From candidates to a file, with an application that takes no precision and is faster with two replicas."""
    one = experiment()
    asked = [Candidate(SYSTEM, {REPLICAS: 2}), Candidate(INT8, {"args.precision": "int8"}, asks="precision")]
    rounds = Rounds(asked, maximize=True, precision=0.05)
    refused = (Status.FAILED, "ValueError: args has 'precision', but the application takes none")
    study = Measured({1: refused, 2: 150.0, 3: refused}).study(rounds)
    as_measured = as_study(one, rounds)
    assert (as_measured.title, as_measured.search.trials) == ("digits.checklist", 3)
    assert set(as_measured.space.paths()) == {"args.no_such_argument", REPLICAS, "args.precision"}
    came = tried(study, rounds.candidates, rounds.control, 0.05)
    text = experiment_text(one, answers(facts_of(one, study), came, []), tmp_path / "new.yaml")
    made = read_experiment(text, tmp_path / "new.yaml")
    assert made.name == "digits.after-checklist"
    assert made.space.paths() == (REPLICAS,)
    assert (made.load, made.slo, made.objectives, made.measure) == (one.load, one.slo, one.objectives, one.measure)
