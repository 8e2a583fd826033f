"""The jobs that come with the project keep what a job promises, in a process that has them imported already."""

from __future__ import annotations

import numpy as np
import onnxruntime
import pytest

from orchestrator.errors import DeploymentFailedError, InfeasibleError
from orchestrator.job import JobProcess
from serve_apps.offline.texts import TextRuns, TextsArgs

PROFILE, TEXTS = "serve_apps.offline.profile:build", "serve_apps.offline.texts:build"
COMBINATIONS = [("digits", "onnxruntime"), ("digits", "torch"), ("encoder_tiny", "torch")]


def run(args, job=PROFILE):
    process = JobProcess()
    process.prepare(job, args)
    process.build()
    return process.run(0.0)


@pytest.mark.parametrize(("model", "engine"), COMBINATIONS)
def test_a_model_is_timed_batch_by_batch(model, engine):
    (row,) = run({"model": model, "engine": engine, "batch_size": 3, "length": 5, "threads": 1})
    assert row.items == 3
    assert 0 < row.parts["inference_ms"] <= (row.ended_s - row.started_s) * 1e3


def test_a_model_in_other_numbers_tells_how_far_it_agrees():
    (row,) = run({"model": "encoder_tiny", "precision": "int8", "batch_size": 2, "threads": 1})
    assert 0.9 < row.accuracy < 1


def test_what_nothing_here_computes_is_infeasible_before_anything_is_made(monkeypatch, tmp_path):
    monkeypatch.setenv("ORCHESTRATOR_MODEL_DIR", str(tmp_path))
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: ["CPUExecutionProvider"])
    with pytest.raises(InfeasibleError, match=r"^args.precision is 'fp16', and this node has no GPU"):
        run({"model": "resnet18", "precision": "fp16"})
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize("padding", ["max", "longest", "bucketed"])
def test_a_text_becomes_vectors_whatever_the_padding(padding):
    args = {"model": "encoder_tiny", "items": 7, "batch_size": 3, "padding": padding, "threads": 1}
    (row,) = run(args, TEXTS)
    assert (row.items, row.accuracy) == (7, 1.0)
    assert set(row.parts) == {"tokenize_ms", "inference_ms"}


class Widths:
    """In the place of an encoder: remembers the lengths of the sentences of every batch."""

    accuracy = None

    def __init__(self):
        self.seen = []

    def prepare(self, inputs):
        return {"text": np.array([[0] * len(text) for text in inputs["text"]] + [None], object)[:-1]}

    def run(self, inputs):
        self.seen.append([len(row) for row in inputs["text"]])


@pytest.mark.parametrize(
    ("padding", "batches"), [("longest", [[5, 1], [4, 2], [3]]), ("bucketed", [[1, 2], [3, 4], [5]])]
)
def test_bucketing_sorts_the_sentences_of_a_run_by_length(padding, batches):
    model = Widths()
    args = TextsArgs.from_args({"batch_size": 2, "padding": padding})
    TextRuns(args, model, [b"x" * length for length in (5, 1, 4, 2, 3)]).step()
    assert model.seen == batches


def test_the_lines_of_a_text_are_read_in_turn(tmp_path):
    (tmp_path / "two.txt").write_text("one line\nand another\n")
    args = TextsArgs.from_args({"items": 3, "data": str(tmp_path / "two.txt")})
    assert args.sentences() == [b"one line", b"and another", b"one line"]
    with pytest.raises(DeploymentFailedError, match=r"prepare\(\) raised ValueError: .*none.txt is no file"):
        run({"model": "encoder_tiny", "data": str(tmp_path / "none.txt")}, TEXTS)


WRONG = {
    "a model": ({"model": "resnet19"}, "args.model is 'resnet19'; it must be 'digits' or"),
    "an engine": (
        {"engine": "tensorrt"},
        "args.engine is 'tensorrt'; it must be 'onnxruntime' or 'torch' or 'torch_compile'",
    ),
    "a batch": ({"batch_size": 0}, "args.batch_size is 0; it must be an integer from 1 to"),
    "a key": ({"batchsize": 8}, "there is no such key (did you mean 'batch_size'?)"),
}


@pytest.mark.parametrize(("args", "told"), WRONG.values(), ids=WRONG)
def test_an_argument_that_is_not_allowed_is_told(args, told):
    with pytest.raises(DeploymentFailedError) as caught:
        run(args)
    assert told in str(caught.value)
