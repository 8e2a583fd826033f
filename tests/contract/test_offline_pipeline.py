"""The pipeline on a real DataLoader: with workers and without, every item reaches the model once, with its times."""

import numpy as np
import pytest

from orchestrator.job.contract import read_report
from serve_apps.model_spec import ModelSpec, TensorSpec
from serve_apps.offline.arguments import PipelineArgs
from serve_apps.offline.pipeline import LoaderRuns, build, prepare

PARTS = {"load_ms", "decode_ms", "first_batch_ms", "inference_ms", "idle_ms"}
SMALL = {"model": "resnet_cifar", "size": [64, 48], "photos": 4, "items": 10, "batch_size": 4}


@pytest.fixture(autouse=True)
def _kept_here(monkeypatch, tmp_path):
    monkeypatch.setenv("ORCHESTRATOR_MODEL_DIR", str(tmp_path))


class Fake:
    """A model that does with the pixels of a batch what a test says."""

    spec = ModelSpec("fake", (TensorSpec("image", "FP32", (None, 3, 32, 32)),), ())

    def __init__(self, run, accuracy=None):
        self._run, self.accuracy = run, accuracy

    def run(self, inputs):
        self._run(inputs["image"])


def recording():
    """A model, and the batches that it was run on."""
    seen = []
    return Fake(lambda pixels: seen.append(pixels.copy())), seen


@pytest.mark.parametrize("data", ["jpegs", "tensors"])
def test_with_any_number_of_workers_the_model_sees_the_same(data):
    seen = {}
    for workers in (0, 2):
        model, seen[workers] = recording()
        run = LoaderRuns(PipelineArgs.from_args({**SMALL, "data": data, "workers": workers}), model)
        report = run.step()
        assert read_report(report).items == 10
        assert set(report["parts"]) == PARTS
        assert [len(batch) for batch in seen[workers]] == [4, 4, 2]
        assert (report["parts"]["decode_ms"] == 0) == (data == "tensors")
    assert all(np.array_equal(*pair) for pair in zip(seen[0], seen[2], strict=True))


def test_a_variant_and_another_decoder_are_knobs_of_a_run():
    args = {**SMALL, "precision": "int8", "decoder": "turbo", "threads": 1}
    prepare(args)
    assert 0.5 < read_report(build(args).step()).accuracy <= 1


def test_every_run_begins_anew():
    model, seen = recording()
    run = LoaderRuns(PipelineArgs.from_args({**SMALL, "workers": 1}), model)
    assert run.step()["parts"]["first_batch_ms"] > 0
    assert run.step()["parts"]["first_batch_ms"] > 0
    assert np.array_equal(seen[0], seen[3])


def test_the_job_as_it_is_built_from_an_experiment():
    args = {**SMALL, "engine": "torch", "threads": 1}
    prepare(args)
    report = read_report(build(args).step())
    assert (set(report.parts), report.accuracy) == (PARTS, 1.0)


@pytest.mark.parametrize(
    "words",
    ["unable to mmap: out of shared memory", "is killed by signal: Bus error. ", "is killed by signal: Killed. "],
)
def test_too_little_memory_is_told_as_such(words):
    def fails(batch):
        raise RuntimeError(words)

    run = LoaderRuns(PipelineArgs.from_args(SMALL), Fake(fails))
    with pytest.raises(MemoryError, match="/dev/shm"):
        run.step()


def test_what_else_fails_keeps_its_own_words():
    def fails(batch):
        raise RuntimeError("the model is broken")

    run = LoaderRuns(PipelineArgs.from_args(SMALL), Fake(fails))
    with pytest.raises(RuntimeError, match="the model is broken"):
        run.step()
