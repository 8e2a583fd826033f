"""An application of two deployments: one makes photos of digits ready, the classifier behind it reads them.

    import_path: serve_apps.photos:build

`POST /` with a grey photo as a binary PGM file, of any size, is answered `{"digit": 7}`. `Reader` takes the request and
finds the ink; `Classifier` is the bundled classifier with all of its knobs. Each scales for itself.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import numpy as np
from ray import serve
from starlette.requests import Request

from serve_apps.answers import Answer, error_answer, json_answer
from serve_apps.classifier import Classifier
from serve_apps.pictures import SIDE, ink, parse_pgm, scaled
from serve_apps.settings import Source
from serve_apps.tensors import RequestError
from serve_apps.variant import Variant

if TYPE_CHECKING:
    from ray.serve import Application
    from ray.serve.handle import DeploymentHandle

INPUT = "image"  # of the bundled model `digits`: float32 [batch, 1, 28, 28]


@serve.deployment(
    name="Reader",
    max_ongoing_requests=256,
    logging_config={"enable_access_log": False, "log_level": "WARNING"},  # as the classifier's
)
class Reader:
    """From a photo to a digit. In its `Server-Timing` queue is all but the model: both deployments and their call."""

    def __init__(self, classifier: DeploymentHandle) -> None:
        self._classifier = classifier

    async def __call__(self, request: Request) -> Answer:
        """Answer one HTTP request."""
        arrived_s = time.perf_counter()
        try:
            photo = parse_pgm(await request.body())
        except RequestError as error:
            return error_answer(error)
        image = scaled(ink(photo)).reshape(1, 1, SIDE, SIDE)
        (logits,), timing = await self._classifier.infer.remote({INPUT: image})
        queue_s = time.perf_counter() - arrived_s - timing.compute_s
        return json_answer(
            {"digit": int(np.argmax(logits))},
            timing._replace(queue_s=queue_s),
        )


def build(args: dict[str, Any]) -> Application:
    """The application for Serve; `args` are those of a `variant` of the classifier's model.

    Raises ValueError, which fails the deployment with its message, for any others.
    """
    return Reader.bind(Classifier.bind(Source("digits", None), Variant.from_args(args)))  # type: ignore[attr-defined]
