"""The composition of two deployments with the real classifier and its model, but without a cluster."""

import asyncio
import json
from types import SimpleNamespace

import numpy as np
import pytest
from ray import serve

from serve_apps.classifier import Classifier
from serve_apps.nets import images
from serve_apps.payloads import photos
from serve_apps.photos import INPUT, Reader
from serve_apps.settings import Source
from serve_apps.tensors import RequestError


@pytest.fixture(autouse=True)
def _replica(monkeypatch):
    """@serve.batch asks its replica for one number, to warn about it."""
    context = SimpleNamespace(_deployment_config=SimpleNamespace(max_ongoing_requests=1000))
    monkeypatch.setattr(serve, "get_replica_context", lambda: context)


def answers(bodies, user_config):
    """All photos at the same time through both deployments; the answers in their order."""

    async def session():
        classifier = Classifier.func_or_class(Source("digits", None))
        await classifier.reconfigure(user_config)
        reader = Reader.func_or_class(SimpleNamespace(infer=SimpleNamespace(remote=classifier.infer)))

        async def ask(body):
            async def read():
                return body

            return await reader(SimpleNamespace(body=read))

        return await asyncio.gather(*map(ask, bodies))

    return asyncio.run(session())


def test_most_photos_are_read_right_and_are_batched():
    _, labels = images.load()
    chosen = np.random.default_rng(0).choice(len(labels), 64, replace=False)
    found = answers(
        [payload["body"] for payload in photos(seed=0)], {"max_batch_size": 16, "batch_wait_timeout_s": 0.5}
    )
    digits = [json.loads(answer.body)["digit"] for answer in found]
    assert np.mean(digits == labels[chosen[: len(digits)]]) > 0.85
    assert all(b"batch-size;desc=16" in dict(answer.raw_headers)[b"server-timing"] for answer in found)


def test_what_the_model_refuses_is_the_callers_error():
    async def session():
        classifier = Classifier.func_or_class(Source("digits", None))
        await classifier.infer({INPUT: np.zeros((1, 1, 5, 5), np.float32)})

    with pytest.raises(RequestError):
        asyncio.run(session())
