"""The application that is tuned: any ONNX model behind the Open Inference Protocol, with request batching.

    import_path: serve_apps.classifier:build
    args: {model: digits}          # or a path to an .onnx file

It imports torch only where that computes: importing it is part of every deployment's start.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Hashable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from numpy.typing import NDArray
from ray import serve
from ray.serve import Application
from starlette.requests import Request
from starlette.types import Receive, Scope

from serve_apps import oip
from serve_apps.answers import Answer, Routes, error_answer
from serve_apps.batcher import Batcher, Computed, Work
from serve_apps.batches import Inputs, Outcome, run_batch
from serve_apps.checks import split
from serve_apps.engine import Model, open_model
from serve_apps.model_spec import ModelSpec
from serve_apps.pinning import pin
from serve_apps.settings import EXECUTOR, Settings, Source
from serve_apps.tensors import RequestError
from serve_apps.timing import Timing
from serve_apps.variant import AS_IT_IS, KEYS, Variant

_SERVER = ("ray-serve-orchestrator classifier", "1")
_HEADER_LENGTH = b"inference-header-content-length"

logger = logging.getLogger("ray.serve")


class ClassifierReplica:
    """One model in one replica. Knobs: see `settings.Settings`; times in its answers: see `timing`."""

    def __init__(self, source: Source, variant: Variant = AS_IT_IS) -> None:
        self._source = source
        self._variant = variant
        self._settings = Settings()
        self._cores = pin(variant.threads or 1) if variant.pinning else None  # before anything starts threads
        self._model = self._load(variant.within_batch(None))
        self._routes = Routes(self._model.spec, *_SERVER)
        self._executor: ThreadPoolExecutor | None = None
        self._batchers: dict[Hashable, Batcher] = {}

    async def reconfigure(self, user_config: Any) -> None:
        """Take new knobs; requests that already wait keep their place. Raises ValueError for a bad value."""
        settings = Settings.from_user_config(user_config)
        threads = self._variant.within_batch(settings.intra_op_threads)
        if threads != self._variant.within_batch(self._settings.intra_op_threads):
            self._model = await asyncio.to_thread(self._load, threads)
        for batcher in self._batchers.values():
            batcher.change(settings)
        self._replace_executor(settings)
        self._settings = settings

    async def __call__(self, request: Request) -> Answer:
        """Answer one HTTP request."""
        arrived_s = time.perf_counter()
        try:
            return self._routes.find(request.scope) or await self._infer(request.scope, request.receive, arrived_s)
        except RequestError as error:
            return error_answer(error)
        except Exception:
            logger.exception("a request failed in an unforeseen way")
            return error_answer(RequestError("internal error; the replica's log has the details", status=500))

    @property
    def spec(self) -> ModelSpec:
        """Of the model that is served."""
        return self._model.spec

    async def infer(self, inputs: Inputs) -> tuple[Sequence[NDArray], Timing]:
        """The model's outputs for one request of another deployment of the application; RequestError when it fails."""
        arrived_s = time.perf_counter()
        outcome, timing = await self._outcome(self._model.prepare(inputs), arrived_s)
        if isinstance(outcome, RequestError):
            raise outcome
        return outcome, timing

    async def _infer(self, scope: Scope, receive: Receive, arrived_s: float) -> Answer:
        model = self._model
        header_length = _header_length(scope)
        infer = oip.parse_request(model.spec, await _body(receive), header_length)
        outcome, timing = await self._outcome(model.prepare(infer.inputs), arrived_s)
        try:
            if isinstance(outcome, RequestError):
                raise outcome
            body, length = oip.build_response(model.spec, infer, outcome)
        except RequestError as error:
            return error_answer(error, timing)
        return Answer(body, timing.header(), header_length=length)

    def _load(self, threads: int) -> Model:
        """The model, with so many threads of its engine within one batch."""
        return open_model(self._source, self._variant, threads)

    def _line(self, inputs: Inputs) -> Hashable:  # noqa: ARG002 (a subclass looks at them)
        """Which line prepared inputs wait in: only what stands in the same one can come into the same batch."""
        return None

    async def _outcome(self, inputs: Inputs, arrived_s: float) -> tuple[Outcome, Timing]:
        """What comes of prepared inputs, by way of a batch."""
        line = self._line(inputs)
        batcher = self._batchers.get(line)
        if batcher is None:
            batcher = self._batchers[line] = Batcher(self._run, self._settings)
        outcome, timing = await batcher.join(Work(inputs, arrived_s, time.perf_counter()))
        return outcome, timing._replace(accuracy=self._model.accuracy)

    async def _run(self, batch: list[Work]) -> Computed:
        if self._executor is None:
            return self._compute(batch)
        return await asyncio.get_running_loop().run_in_executor(self._executor, self._compute, batch)

    def _compute(self, batch: list[Work]) -> Computed:
        model = self._model
        started_s = time.perf_counter()
        outcomes = run_batch(model.run, [work.inputs for work in batch], model.spec.batchable)
        return Computed(started_s, time.perf_counter(), outcomes)

    def _replace_executor(self, settings: Settings) -> None:
        retired = self._executor
        threads = settings.concurrent_batches
        self._executor = ThreadPoolExecutor(threads, "batch") if settings.compute == EXECUTOR else None
        if retired is not None:
            retired.shutdown(wait=False)


OPTIONS = {
    "max_ongoing_requests": 256,  # Serve's default of 5 would cap every batch at 5
    # A log line per request costs as much as small models do, and its record is made even if it is not written.
    "logging_config": {"enable_access_log": False, "log_level": "WARNING"},
}
Classifier = serve.deployment(name="Classifier", **OPTIONS)(ClassifierReplica)


def build(args: dict[str, Any]) -> Application:
    """The application for Serve. `args.model`: a bundled model (`digits`, the default) or an .onnx file; `variant`'s.

    Raises ValueError, which fails the deployment with its message, for unknown args and for a missing file.
    """
    source, variant = split(args, ("model",), KEYS)
    return Classifier.bind(Source.from_args(source), Variant.from_args(variant))


def _header_length(scope: Scope) -> int | None:
    encoding = length = None
    for name, value in scope["headers"]:
        if name == _HEADER_LENGTH:
            length = value
        elif name == b"content-encoding":
            encoding = value
    if encoding not in (None, b"", b"identity"):
        raise RequestError(f"Content-Encoding {encoding.decode('latin-1')!r} is not supported; send the body as it is")
    if length is None:
        return None
    if not length.isdigit() or len(length) > 18:
        found = length.decode("latin-1")
        raise RequestError(f"Inference-Header-Content-Length must be an integer >= 0, found {found!r}")
    return int(length)


async def _body(receive: Receive) -> bytes:
    message = await receive()
    if not message.get("more_body", False) and message["type"] == "http.request":
        return message.get("body", b"")  # nearly always: the body came in one piece, and is not copied
    chunks = []
    while message["type"] == "http.request":
        chunks.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(chunks)
        message = await receive()
    raise RequestError("the connection was closed before the request's body was complete")
