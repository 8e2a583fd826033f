"""What is answered to each item, of what was tried, what it came to, and what the baseline's own figures say."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from orchestrator.checklist import (
    ITEMS,
    Answer,
    Candidate,
    End,
    Kind,
    Rounds,
    Settled,
    answers,
    checklist_document,
    facts_of,
    ranked,
    tried,
)
from orchestrator.checklist.answer import Tried
from orchestrator.checklist.answers import sentence_of
from orchestrator.checklist.items import (
    BATCHING,
    DISTILLATION,
    ENGINE,
    FP16,
    INT8,
    IO,
    JPEG,
    PADDING,
    PROCESSING,
    SYSTEM,
)
from orchestrator.checklist.items import VERSIONS as RELEASES
from orchestrator.checklist.versions import Release
from orchestrator.result import Ratio, Status
from tests.fakes.checklists import Measured, experiment

BATCH = Candidate(BATCHING, {"batch": 32})
HALF = Candidate(FP16, {"args.precision": "fp16"}, asks="precision")
BYTES = Candidate(INT8, {"args.precision": "int8"}, asks="precision")


def refusal(name, value, known="model"):
    """As `serve_apps.settings` words it, behind what Serve writes before it."""
    said = f"args.{name} is {value!r}, but there is no such key; allowed: {known}"
    return Status.FAILED, f"Deploying app 'trial-slot-0' failed with exception: ValueError: {said}"


CONTROL = refusal("no_such_argument", True)
BOUND = (Status.FAILED, "ValueError: Arguments can only be passed to an application builder function")


def gone_through(came, *candidates):
    rounds = Rounds(candidates, maximize=True, precision=0.05)
    study = Measured(came).study(rounds)
    return tried(study, rounds.candidates, rounds.control, 0.05)


ENDS = {
    "better by more than the precision": ({1: 150.0}, BATCH, End.GAIN, ""),
    "no better": ({1: 100.0}, BATCH, End.NO_GAIN, ""),
    "worse": ({1: 70.0}, BATCH, End.NO_GAIN, ""),
    "better, but over the SLO": ({1: (150.0, 0.1)}, BATCH, End.BREAKS, ""),
    "as bad as the baseline by the SLO, and better": ({0: (100.0, 0.2), 1: (150.0, 0.1)}, BATCH, End.GAIN, ""),
    "it broke": ({1: (Status.FAILED, "OSError: no space left")}, BATCH, End.BROKEN, "OSError: no space left"),
    "it was late": (
        {1: CONTROL, 2: (Status.INFEASIBLE, "not ready within 60 s (deploy_timeout_s): Classifier is UPDATING")},
        HALF,
        End.BROKEN,
        "not ready within 60 s (deploy_timeout_s): Classifier is UPDATING",
    ),
    "not to be trusted": ({1: (Status.INVALID, "steal")}, BATCH, End.BROKEN, "steal"),
    "refused by name, as any other that is unknown": (
        {1: CONTROL, 2: refusal("precision", "fp16")},
        HALF,
        End.REFUSED,
        "the application takes no `precision`",
    ),
    "refused altogether, as by an application that is no builder": (
        {1: BOUND, 2: BOUND},
        HALF,
        End.REFUSED,
        "the application takes no `precision`",
    ),
    "the value is refused": (
        {1: CONTROL, 2: (Status.FAILED, "ValueError: args.precision is 'fp16'; it must be 'fp32' or 'int8'")},
        HALF,
        End.UNAVAILABLE,
        "ValueError: args.precision is 'fp16'; it must be 'fp32' or 'int8'",
    ),
    "it cannot be had here, says the application": (
        {1: CONTROL, 2: (Status.INFEASIBLE, "no execution provider computes in fp16 on this machine")},
        HALF,
        End.UNAVAILABLE,
        "no execution provider computes in fp16 on this machine",
    ),
    "it takes everything without a word": ({1: 100.0, 2: 200.0}, HALF, End.SKIPPED, "without a word"),
    "there is no baseline": ({0: (Status.INVALID, "steal"), 1: 150.0}, BATCH, End.BROKEN, "no measurement of the base"),
}


@pytest.mark.parametrize(("came", "candidate", "end", "why"), ENDS.values(), ids=ENDS)
def test_what_came_of_a_candidate(came, candidate, end, why):
    (one,) = gone_through(came, candidate)
    assert one.end is end
    assert why in one.why


def test_the_application_of_the_guide_is_understood():
    guide = (Path(__file__).parents[2] / "docs" / "checklist.md").read_text(encoding="utf-8")
    [code] = re.findall(r"```python\n(.*?)```", guide, re.DOTALL)
    exec(code, names := {})

    def asked(**args):
        with pytest.raises(ValueError, match="args") as raised:
            names["build"](args)
        return Status.FAILED, f"Deploying app 'trial-slot-0' failed with exception: ValueError: {raised.value}"

    padding = Candidate(PADDING, {"args.padding": "longest"}, asks="padding")
    came = {1: asked(no_such_argument=True), 2: asked(padding="longest"), 3: asked(precision="fp16")}
    assert [one.end for one in gone_through(came, padding, HALF)] == [End.REFUSED, End.UNAVAILABLE]


def test_a_gain_has_an_interval_that_more_rounds_make_narrow():
    (one,) = gone_through({1: 150.0}, BATCH)
    assert one.measured == 3
    assert 1.4 < one.gain.lo < 1.5 < one.gain.hi < 1.6
    assert one.gain.confidence == 0.95


def test_what_keeps_a_promise_that_the_baseline_breaks_is_a_gain_whatever_its_figure():
    (one,) = gone_through({0: (100.0, 0.3), 1: 101.0}, BATCH)
    assert (one.end, one.mends) == (End.GAIN, True)
    assert sentence_of(one).endswith("and it keeps the SLO, which the baseline does not")


def test_another_value_of_an_argument_that_is_not_taken_is_not_taken_either():
    static = Candidate(INT8, {"args.precision": "int8_static"}, asks="precision")
    came = gone_through({1: CONTROL, 2: refusal("precision", "int8")}, BYTES, static)
    assert [(one.end, one.why) for one in came] == [(End.REFUSED, "the application takes no `precision`")] * 2


def test_who_had_no_turn_says_so():
    rounds = Rounds([BATCH], maximize=True, precision=0.05)
    (one,) = tried(Measured({}).study(rounds, most=1), rounds.candidates, rounds.control, 0.05)
    assert (one.end, one.why) == (End.SKIPPED, "the time was over before its turn: give more with --budget")


FIGURES = {
    "machine_busy_share": 0.6,
    "machine_cores": 2.0,
    "replica_cpu_cores": 0.8,
    "proxy_cpu_cores": 0.2,
    "replica_memory_mib": 310.0,
    "batches_at_work": 0.6,
    "network_share": 0.2,
    "compute_share": 0.5,
    "iowait_share": 0.001,
    "disk_mib_s": 0.1,
    "network_mib_s": 0.0,
}


def facts(**other):
    measured = Measured({}, details=FIGURES).study(Rounds([], maximize=True, precision=0.05))
    return replace(facts_of(experiment(), measured), **other)


def answer_to(item, known=None, came=(), settled=()):
    return next(one for one in answers(known or facts(), came, settled) if one.item is item)


BEHIND = Release("torch", "2.4.1+cpu", "2.13.0")
BY_FIGURES = {
    "behind": (RELEASES, {"releases": [BEHIND]}, Kind.DECIDE, "torch 2.4.1+cpu (known: 2.13.0)"),
    "not behind": (
        RELEASES,
        {"releases": [Release("torch", "2.13.0+cpu", "2.13.0")], "driver": "550.54"},
        Kind.DONE,
        "GPU driver 550.54",
    ),
    "none installed": (RELEASES, {}, Kind.UNCHECKED, "none of the known packages"),
    "the system": (SYSTEM, {}, Kind.DONE, "60% of 2 cores busy (replicas 0.8, proxy 0.2); replicas hold 310 MiB"),
    "the model's part": (PROCESSING, {"assumed": False}, Kind.DONE, "25% of the replicas' 0.8 cores is work around"),
    "mostly around the model": (
        PROCESSING,
        {"figures": {**FIGURES, "batches_at_work": 0.2}},
        Kind.DECIDE,
        "75% of the replicas'",
    ),
    "several threads": (PROCESSING, {"single": False}, Kind.UNCHECKED, "with several threads"),
    "a silent application": (
        PROCESSING,
        {"figures": {"replica_cpu_cores": 0.8}},
        Kind.UNCHECKED,
        "does not tell compute and batch-size",
    ),
    "on a GPU": (PROCESSING, {"figures": {**FIGURES, "gpu_busy_share": 0.4}}, Kind.DONE, "on the GPU (40% busy)"),
    "little waiting": (IO, {}, Kind.DONE, "take 20% of the response time; CPUs wait for disks 0.1% of the time"),
    "waiting for disks": (IO, {"figures": {**FIGURES, "iowait_share": 0.3}}, Kind.DECIDE, "load and cache"),
    "the slow data plane": (IO, {"data_plane": "proxy"}, Kind.DECIDE, "set cluster.data_plane to haproxy"),
    "padding that is told": (PADDING, {"figures": {**FIGURES, "padding_waste": 0.4}}, Kind.DECIDE, "0.40 places"),
    "no padding": (PADDING, {"figures": {**FIGURES, "padding_waste": 0.0}}, Kind.DONE, "0.00 places"),
    "half of a model": (
        DISTILLATION,
        {},
        Kind.DECIDE,
        "60% of a replica's time: one that computes half as long would bring ×1.43",
    ),
    "half of a model's time": (
        DISTILLATION,
        {"latency": True},
        Kind.DECIDE,
        "50% of the response time: one that computes half as long would bring ×1",
    ),
    "a model that hardly counts": (
        DISTILLATION,
        {"figures": {**FIGURES, "batches_at_work": 0.04}},
        Kind.DONE,
        "×1.02 in throughput at most, which is not worth",
    ),
    "no baseline": (SYSTEM, {"figures": {}, "why_not": "steal"}, Kind.UNCHECKED, "could not be measured: steal"),
}


@pytest.mark.parametrize(("item", "known", "kind", "sentence"), BY_FIGURES.values(), ids=BY_FIGURES)
def test_what_figures_answer(item, known, kind, sentence):
    found = answer_to(item, facts(**known))
    assert sentence in found.finding
    assert found.kind is kind


def test_every_item_is_answered_in_its_order_whatever_is_known():
    assert [one.item for one in answers(facts(figures={}), [], [])] == list(ITEMS)
    assert all(one.finding or one.kind is Kind.NOT_APPLICABLE for one in answers(facts(), [], []))


def test_a_gain_says_what_to_set_and_all_that_was_tried():
    both = [replace(BATCH, changes={"batch": 8}), BATCH]
    found = answer_to(BATCHING, came=gone_through({1: 150.0, 2: 200.0}, *both))
    assert (found.kind, found.change) == (Kind.GAIN, {"batch": 32})
    assert found.gain.lo > 1.9
    assert "batch=8 ×1.5" in found.finding
    assert "batch=32 ×2" in found.finding


KINDS = {
    "nothing is to be gained": ({1: CONTROL, 2: 100.0}, Kind.DONE, "args.precision=int8 ×"),
    "it is not taken": ({1: CONTROL, 2: refusal("precision", "int8")}, Kind.NOT_APPLICABLE, "takes no `precision`"),
    "it cannot be had": ({1: CONTROL, 2: (Status.INFEASIBLE, "no int8 here")}, Kind.NOT_APPLICABLE, "no int8 here"),
    "nobody can tell": ({1: 100.0}, Kind.UNCHECKED, "put args.precision into the file's app"),
    "it broke": ({1: CONTROL, 2: (Status.FAILED, "MemoryError")}, Kind.UNCHECKED, "MemoryError"),
}


@pytest.mark.parametrize(("came", "kind", "sentence"), KINDS.values(), ids=KINDS)
def test_an_answer_without_a_gain_says_why(came, kind, sentence):
    found = answer_to(INT8, came=gone_through(came, BYTES))
    assert found.kind is kind
    assert sentence in found.finding
    assert not found.change


def open_(item):
    return Tried(Candidate(item, {"knob": 2}), End.OPEN, Ratio(1.2, 0.9, 1.5, 0.95), 2)


@pytest.mark.parametrize(
    ("item", "kind"),
    [
        pytest.param(SYSTEM, Kind.DECIDE, id="beside figures that answer"),
        pytest.param(INT8, Kind.UNCHECKED, id="and nothing else is known"),
    ],
)
def test_what_could_not_be_told_from_the_baseline_is_left_open(item, kind):
    found = answer_to(item, came=[open_(item)])
    assert found.kind is kind
    assert "knob=2 ×1.20 (0.9–1.50), which does not tell: measure for longer" in found.finding


def test_a_reason_that_names_the_argument_stands_by_itself():
    why = "args.precision is 'fp16', and there is no GPU"
    found = answer_to(FP16, came=[Tried(HALF, End.UNAVAILABLE, why=why)])
    assert found.finding == why


def test_what_is_settled_needs_no_trial():
    found = answer_to(JPEG, settled=[Settled(JPEG, Kind.NOT_APPLICABLE, "no request is a JPEG picture")])
    assert (found.kind, found.finding) == (Kind.NOT_APPLICABLE, "no request is a JPEG picture")


def gain(item, lo, mends=False):
    return Answer(item, Kind.GAIN, "", change={"knob": 1}, gain=Ratio(2.0, lo, 3.0, 0.95), mends=mends)


def test_what_to_do_first_goes_by_the_sure_part_of_the_gain():
    decide = Answer(DISTILLATION, Kind.DECIDE, "weigh it")
    found = [decide, gain(INT8, 1.2), Answer(FP16, Kind.DONE, ""), gain(BATCHING, 1.6), gain(ENGINE, 1.1, mends=True)]
    assert [one.item for one in ranked(found)] == [ENGINE, BATCHING, INT8, DISTILLATION]


def test_a_gain_without_a_figure_is_none():
    with pytest.raises(ValueError, match="a gain has a figure"):
        Answer(INT8, Kind.GAIN, "much better")


def test_the_document_has_every_answer_and_what_was_tried():
    came = gone_through({1: CONTROL, 2: 150.0, 3: refusal("precision", "int8")}, BATCH, BYTES)
    document = checklist_document("digits", "1f3e", "maximize throughput_rps", answers(facts(), came, []), "new.yaml")
    assert set(document) == {"name", "study_id", "objective", "items", "first", "experiment"}
    assert [one["item"] for one in document["items"]] == [item.name for item in ITEMS]
    told = {"item", "question", "settled_by", "answer", "finding", "figures", "gain", "change", "tried"}
    assert set(document["items"][0]) == told
    batching = next(one for one in document["items"] if one["item"] == "batching")
    assert (batching["answer"], batching["change"]) == ("gain", {"batch": 32})
    assert set(batching["gain"]) == {"value", "lo", "hi", "confidence"}
    (tried_,) = batching["tried"]
    assert set(tried_) == {"change", "end", "gain", "measured", "accuracy", "why", "trial"}
    assert (tried_["end"], tried_["trial"], tried_["accuracy"]) == ("gain", 2, None)
    assert document["first"][0] == "batching"
