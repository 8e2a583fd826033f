"""The jobs that come with the project keep what a job promises, in a process that has them imported already."""

from __future__ import annotations

import pytest

from orchestrator.errors import DeploymentFailedError
from orchestrator.job import JobProcess

PROFILE = "serve_apps.offline.profile:build"
COMBINATIONS = [("digits", "onnxruntime"), ("digits", "torch"), ("encoder_tiny", "torch")]


def run(args):
    process = JobProcess()
    process.prepare(PROFILE, args)
    process.build()
    return process.run(0.0)


@pytest.mark.parametrize(("model", "engine"), COMBINATIONS)
def test_a_model_is_timed_batch_by_batch(model, engine):
    (row,) = run({"model": model, "engine": engine, "batch_size": 3, "length": 5, "threads": 1})
    assert row.items == 3
    assert 0 < row.parts["inference_ms"] <= (row.ended_s - row.started_s) * 1e3


WRONG = {
    "a model": ({"model": "resnet19"}, "args.model is 'resnet19'; it must be 'digits' or"),
    "an engine": ({"engine": "tensorrt"}, "args.engine is 'tensorrt'; it must be 'onnxruntime' or 'torch'"),
    "a batch": ({"batch_size": 0}, "args.batch_size is 0; it must be an integer from 1 to"),
    "a key": ({"batchsize": 8}, "there is no such key (did you mean 'batch_size'?)"),
}


@pytest.mark.parametrize(("args", "told"), WRONG.values(), ids=WRONG)
def test_an_argument_that_is_not_allowed_is_told(args, told):
    with pytest.raises(DeploymentFailedError) as caught:
        run(args)
    assert told in str(caught.value)
