"""The application that is tuned: any ONNX model behind the Open Inference Protocol, with request batching.

    import_path: serve_apps.classifier:build
    args: {model: digits}          # or a path to an .onnx file

It never imports torch: importing it is part of every deployment's start.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple, Protocol

from numpy.typing import NDArray
from ray import serve
from ray.serve import Application
from starlette.requests import Request
from starlette.types import Receive, Scope

from serve_apps import oip
from serve_apps.answers import Answer, Routes, error_answer
from serve_apps.batches import Inputs, Outcome, run_batch
from serve_apps.model_spec import ModelSpec
from serve_apps.onnx_model import OnnxModel
from serve_apps.settings import EXECUTOR, Settings, Source
from serve_apps.tensors import RequestError
from serve_apps.timing import Collection, Timing

_SERVER = ("ray-serve-orchestrator classifier", "1")
_HEADER_LENGTH = b"inference-header-content-length"

logger = logging.getLogger("ray.serve")


class _Work(NamedTuple):
    """A valid request that joins a batch; times are seconds of `time.perf_counter`."""

    inputs: Inputs
    arrived_s: float
    joined_s: float


_Join = Callable[[_Work], Awaitable[tuple[Outcome, Timing]]]


class Model(Protocol):
    """What a replica serves; `OnnxModel` is one."""

    spec: ModelSpec

    def prepare(self, inputs: Inputs) -> Inputs:
        """A request's inputs as `run` takes them. RequestError for what it cannot take."""

    def run(self, inputs: Inputs) -> Sequence[NDArray]:
        """The outputs of one or more requests, whose inputs are joined along the first dimension."""


class ClassifierReplica:
    """One model in one replica. Knobs: see `settings.Settings`; times in its answers: see `timing`."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._settings = Settings()
        self._model = self._load(self._settings.intra_op_threads)
        self._routes = Routes(self._model.spec, *_SERVER)
        self._executor: ThreadPoolExecutor | None = None
        self._previous_closed_s = 0.0
        self._join = self._new_batcher(self._settings)

    async def reconfigure(self, user_config: Any) -> None:
        """Take new knobs; requests that already wait keep their place. Raises ValueError for a bad value."""
        settings = Settings.from_user_config(user_config)
        if settings.intra_op_threads != self._settings.intra_op_threads:
            self._model = await asyncio.to_thread(self._load, settings.intra_op_threads)
        if settings.concurrent_batches != self._settings.concurrent_batches:
            self._join = self._new_batcher(settings)  # the only knob of @serve.batch without a setter
        else:
            self._join.set_max_batch_size(settings.max_batch_size)  # type: ignore[attr-defined]
            self._join.set_batch_wait_timeout_s(settings.batch_wait_timeout_s)  # type: ignore[attr-defined]
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
        """The model, with so many threads of ONNX Runtime within one batch."""
        return OnnxModel(self._source.name, self._source.path(), threads)

    async def _outcome(self, inputs: Inputs, arrived_s: float) -> tuple[Outcome, Timing]:
        """What comes of prepared inputs, by way of a batch."""
        return await self._join(_Work(inputs, arrived_s, time.perf_counter()))

    async def _run(self, batch: list[_Work]) -> list[tuple[Outcome, Timing]]:
        """Compute one batch that Serve has collected; an error is an outcome of its request alone."""
        settings = self._settings
        if self._executor is None:
            started_s, ended_s, outcomes = self._compute(batch)
        else:
            loop = asyncio.get_running_loop()
            started_s, ended_s, outcomes = await loop.run_in_executor(self._executor, self._compute, batch)
        joined = [work.joined_s for work in batch]
        collection = Collection.of(
            joined, started_s, self._previous_closed_s, settings.max_batch_size, settings.batch_wait_timeout_s
        )
        self._previous_closed_s = collection.closed_s
        return [
            (outcome, collection.timing(work.arrived_s, work.joined_s, started_s, ended_s, len(batch)))
            for work, outcome in zip(batch, outcomes, strict=True)
        ]

    def _compute(self, batch: list[_Work]) -> tuple[float, float, list[Outcome]]:
        model = self._model
        started_s = time.perf_counter()
        outcomes = run_batch(model.run, [work.inputs for work in batch], model.spec.batchable)
        return started_s, time.perf_counter(), outcomes

    def _new_batcher(self, settings: Settings) -> _Join:
        async def run(batch: list[_Work]) -> list[tuple[Outcome, Timing]]:
            return await self._run(batch)

        # @serve.batch looks up the signature for every request; kept here (PEP 362), it is worked out once.
        run.__signature__ = inspect.signature(run)  # type: ignore[attr-defined]
        return serve.batch(
            max_batch_size=settings.max_batch_size,
            batch_wait_timeout_s=settings.batch_wait_timeout_s,
            max_concurrent_batches=settings.concurrent_batches,
        )(run)

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
    """The application for Serve. `args.model`: a bundled model (`digits`, the default) or an .onnx file.

    Raises ValueError, which fails the deployment with its message, for unknown args and for a missing file.
    """
    return Classifier.bind(Source.from_args(args))


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
