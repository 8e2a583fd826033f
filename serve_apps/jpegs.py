"""JPEG pictures in, classes out: each replica decodes in threads of its own, and batches what is decoded.

    import_path: serve_apps.jpegs:build
    args: {model: resnet50}        # or any model with one input of pictures, float32 [batch, 3, height, width]

`POST /` with a JPEG of any size is answered `{"class": 208, "score": 0.41}`. The knobs are the classifier's and
`decode_threads`; `args.decoder` says which library decodes. Nothing waits for ever: with `max_queued_requests` Serve
answers 503 to what is too much.
"""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray
from ray import serve
from ray.serve import Application
from starlette.requests import Request

from serve_apps.answers import Answer, error_answer, json_answer
from serve_apps.checks import Allowed, checked, one_of, split
from serve_apps.classifier import OPTIONS, ClassifierReplica
from serve_apps.decoding import DECODERS, PILLOW
from serve_apps.settings import Source
from serve_apps.tensors import RequestError
from serve_apps.variant import AS_IT_IS, KEYS, Variant

_DECODING: Allowed = {"decoder": one_of(*DECODERS)}
DECODE_THREADS = "decode_threads"
MOST_THREADS = 64


class JpegReplica(ClassifierReplica):
    """One model in one replica, with the threads that decode for it; in its `Server-Timing` that counts as queue."""

    def __init__(self, source: Source, variant: Variant = AS_IT_IS, decoder: str = PILLOW) -> None:
        super().__init__(source, variant)
        self._decode = DECODERS[decoder]
        inputs = self.spec.inputs
        shape = inputs[0].shape if len(inputs) == 1 else None
        if shape is None or len(shape) != 4 or shape[1] != 3 or None in shape[2:]:
            raise ValueError(f"the model {source.name} has to have one input of pictures, [batch, 3, height, width]")
        self._input, self._height, self._width = inputs[0].name, int(shape[2] or 0), int(shape[3] or 0)
        self._decoders = ThreadPoolExecutor(1, "decode")

    async def reconfigure(self, user_config: Any) -> None:
        """As the classifier's, with `decode_threads` besides."""
        own = dict(user_config) if isinstance(user_config, dict) else user_config
        threads = own.pop(DECODE_THREADS, 1) if isinstance(own, dict) else 1
        if type(threads) is not int or not 1 <= threads <= MOST_THREADS:
            raise ValueError(
                f"user_config.{DECODE_THREADS} is {threads!r}; it must be an integer from 1 to {MOST_THREADS}"
            )
        await super().reconfigure(own)
        retired, self._decoders = self._decoders, ThreadPoolExecutor(threads, "decode")
        retired.shutdown(wait=False)

    async def __call__(self, request: Request) -> Answer:
        """Answer one HTTP request."""
        arrived_s = time.perf_counter()
        body, loop = await request.body(), asyncio.get_running_loop()
        try:
            picture = await loop.run_in_executor(self._decoders, self._decode, body, self._height, self._width)
            (logits, *_), timing = await self.infer({self._input: picture[np.newaxis]})
        except RequestError as error:
            return error_answer(error)
        queue_s = time.perf_counter() - arrived_s - timing.compute_s
        found = int(np.argmax(logits))
        return json_answer(
            {"class": found, "score": round(float(_softmax(logits[0])[found]), 4)},
            timing._replace(queue_s=queue_s),
        )


Jpegs = serve.deployment(name="Jpegs", **OPTIONS)(JpegReplica)


def build(args: dict[str, Any]) -> Application:
    """The application for Serve; `args` as the classifier's, and `decoder`.

    Raises ValueError, which fails the deployment with its message, for anything else.
    """
    source, variant, decoding = split(args, ("model",), KEYS, tuple(_DECODING))
    decoder = checked(decoding, _DECODING, "args").get("decoder", PILLOW)
    return Jpegs.bind(Source.from_args(source), Variant.from_args(variant), decoder)


def _softmax(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    shifted = np.exp(logits - logits.max())
    return shifted / shifted.sum()
