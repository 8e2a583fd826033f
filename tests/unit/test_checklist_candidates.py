"""What a checklist tries: the file's own values where it has them, else what is usual, and nothing in vain."""

import pytest

from orchestrator.checklist import Candidate, Kind, Settled, of_arguments, of_settings
from orchestrator.checklist.items import BATCHING, BUCKETING, FP16, INT8, IO, JPEG, PINNING, SYSTEM
from tests.fakes.checklists import TEXT, experiment

SIZE, WAIT = "Classifier.user_config.max_batch_size", "Classifier.user_config.batch_wait_timeout_s"
REPLICAS, THREADS = "Classifier.num_replicas", "Classifier.user_config.intra_op_threads"


def fits(configuration):
    return ""


def tried(found, item):
    return [one.changes for one in found if isinstance(one, Candidate) and one.item is item]


def settled(found, item):
    return [(one.kind, one.finding) for one in found if isinstance(one, Settled) and one.item is item]


def settings(**replaced):
    return list(of_settings(experiment(**replaced), cores=2, lacking=fits))


APP = """
  import_path: my.app:build
  deployments: [{name: Classifier, num_replicas: %s, user_config: {max_batch_size: %s, batch_wait_timeout_s: %s}}]"""
KNOB = "{Classifier.num_replicas: {randint: [1, 4]}}"

BATCHES = {
    "in the middle, and all that come together": ({}, [{SIZE: 8}, {SIZE: 32, WAIT: 0.001}]),
    "those of the file's own knob": (
        {"space": f"{{{SIZE}: {{choice: [1, 3, 20]}}}}"},
        [{SIZE: 3}, {SIZE: 20, WAIT: 0.001}],
    ),
    "what is free where the file has no knob": ({"space": KNOB}, [{SIZE: 8}, {SIZE: 32, WAIT: 0.001}]),
    "no wait of ours where there is one": (
        {"app": APP % (1, 4, 0.01), "space": KNOB},
        [{SIZE: 16}, {SIZE: 32}],
    ),
    "the clients of one replica": ({"app": APP % (4, 1, 0.01), "space": KNOB}, [{SIZE: 4}, {SIZE: 8}]),
    "items, not requests": (
        {"load": "{closed_loop: {concurrency: 4}, items_per_request: 16}", "space": KNOB},
        [{SIZE: 8}, {SIZE: 64, WAIT: 0.001}],
    ),
    "some, where the load does not say how many come together": (
        {"load": "{open_loop: {rate_rps: 50}}", "objective": "{minimize: latency_mean_ms}", "space": KNOB},
        [{SIZE: 8}, {SIZE: 32}],
    ),
}


@pytest.mark.parametrize(("replaced", "expected"), BATCHES.values(), ids=BATCHES)
def test_larger_batches_are_tried(replaced, expected):
    assert tried(settings(**replaced), BATCHING) == expected


def test_a_batch_that_holds_everybody_is_done():
    found = settings(app=APP % (1, 64, 0.0), space=KNOB)
    assert tried(found, BATCHING) == []
    assert settled(found, BATCHING) == [(Kind.DONE, f"{SIZE} is 64, and no more than 32 requests come together")]


def test_where_no_batch_size_is_stated_it_cannot_be_tried():
    found = settings(app="{import_path: 'my.app:build', deployments: [{name: Classifier}]}", space=KNOB)
    ((kind, why),) = settled(found, BATCHING)
    assert kind is Kind.UNCHECKED
    assert "no deployment's user_config has a max_batch_size" in why


def test_as_many_replicas_as_cores_are_tried():
    assert tried(settings(), SYSTEM) == [{REPLICAS: 2}]


def test_replicas_that_do_not_fit_are_not_tried():
    found = list(of_settings(experiment(), cores=2, lacking=lambda configuration: "needs 2 GPU, and a node has 1"))
    assert tried(found, SYSTEM) == []
    assert settled(found, SYSTEM) == [
        (Kind.UNCHECKED, f"{REPLICAS} 2 was not tried: needs 2 GPU, and a node has 1"),
    ]


def test_replicas_on_all_cores_are_done():
    assert settled(settings(app=APP % (2, 1, 0.0), space=KNOB), SYSTEM) == [(Kind.DONE, f"{REPLICAS} is 2, on 2 cores")]


def test_threads_are_set_where_the_file_has_them():
    own = TEXT.replace("batch_wait_timeout_s: 0.0", "batch_wait_timeout_s: 0.0, intra_op_threads: 1")
    assert tried(list(of_settings(experiment(own), 4, fits)), PINNING) == [{THREADS: 4}]
    (asked,) = [one for one in settings() if one.item is PINNING]
    assert (asked.changes, asked.asks) == ({"args.threads": 2}, "threads")


def test_requests_in_json_are_tried_as_binary():
    assert tried(settings(), IO) == []
    json = settings(workload="{payloads: 'serve_apps.payloads:clothing', encoding: json}")
    assert tried(json, IO) == [{"workload.encoding": "binary"}]


def arguments(jpegs=0.0, **replaced):
    return list(of_arguments(experiment(**replaced), jpegs))


def test_of_arguments_the_usual_values_are_tried_and_the_application_is_asked_for_them():
    found = arguments()
    assert tried(found, FP16) == [{"args.precision": "fp16"}]
    assert {one.asks for one in found if isinstance(one, Candidate) and one.item is FP16} == {"precision"}


def test_an_argument_that_the_file_states_is_taken():
    found = arguments(
        app=APP.replace("deployments", "args: {precision: int8}\n  deployments") % (1, 1, 0.0), space=KNOB
    )
    assert tried(found, FP16) == [{"args.precision": "fp16"}]
    assert tried(found, INT8) == [{"args.precision": "int8_static"}]  # the other is the baseline
    assert not any(one.asks for one in found if isinstance(one, Candidate) and one.item in (FP16, INT8))


def test_a_knob_of_the_file_says_what_is_tried_and_each_item_has_its_own_values():
    app = "{import_path: 'my.app:build', args: {precision: fp32, padding: bucketed}}"
    found = arguments(app=app, space="{args.precision: {choice: [fp32, int8]}}")
    assert tried(found, INT8) == [{"args.precision": "int8"}]
    assert tried(found, FP16) == []
    assert settled(found, FP16) == [(Kind.DONE, "args.precision is fp32, and there is no other value to try")]
    assert settled(found, BUCKETING) == [(Kind.DONE, "args.padding is bucketed, and there is no other value to try")]


def test_decoders_are_for_those_who_get_pictures():
    assert settled(arguments(jpegs=0.0), JPEG) == [(Kind.NOT_APPLICABLE, "no request is a JPEG picture")]
    assert tried(arguments(jpegs=0.5), JPEG) == [{"args.decoder": "turbo"}]
