"""HTTP answers with as little work per request as ASGI allows, and the table of what is answered where."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from serve_apps.model_spec import VERSION, ModelSpec
from serve_apps.tensors import RequestError
from serve_apps.timing import NO_BATCH, Timing

_JSON = (b"content-type", b"application/json")
_BINARY = (b"content-type", b"application/octet-stream")
_NO_BATCH = NO_BATCH.header()


class Answer(Response):
    """A complete answer: starlette's interface, which Serve asks for, without its header handling."""

    def __init__(
        self,
        body: bytes,
        timing: bytes = _NO_BATCH,
        status: int = 200,
        header_length: int | None = None,
        extra: tuple[tuple[bytes, bytes], ...] = (),
    ) -> None:
        self.body = body
        self.status_code = status
        self.background = None
        kind = (_JSON,) if header_length is None else (_BINARY, _header_length(header_length))
        self.raw_headers = [*kind, (b"content-length", b"%d" % len(body)), (b"server-timing", timing), *extra]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 (ASGI's)
        """Send it."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        await send({"type": "http.response.body", "body": self.body})


def json_answer(document: Any, timing: Timing = NO_BATCH) -> Answer:
    """A 200 answer that can be sent any number of times."""
    return Answer(json.dumps(document, separators=(",", ":")).encode(), timing.header())


def error_answer(error: RequestError, timing: Timing = NO_BATCH, extra: tuple[tuple[bytes, bytes], ...] = ()) -> Answer:
    """`{"error": "..."}` with the error's status."""
    return Answer(json.dumps({"error": str(error)}).encode(), timing.header(), error.status, extra=extra)


class Routes:
    """Path -> what answers there; everything but inference is the same every time and made beforehand."""

    def __init__(self, model: ModelSpec, server: str, server_version: str) -> None:
        self._model = model
        ready = json_answer({"name": model.name, "ready": True})
        served: dict[str, tuple[str, Answer | None]] = {
            "/v2": ("GET", json_answer(_server_metadata(server, server_version))),
            "/v2/health/live": ("GET", json_answer({"live": True})),
            "/v2/health/ready": ("GET", json_answer({"ready": True})),
            "/v2/repository/index": ("POST", json_answer([_index_entry(model)])),
        }
        for base in (f"/v2/models/{model.name}", f"/v2/models/{model.name}/versions/{VERSION}"):
            served[base] = ("GET", json_answer(model.metadata()))
            served[f"{base}/ready"] = ("GET", ready)
            served[f"{base}/infer"] = ("POST", None)
        self._served: Mapping[str, tuple[str, Answer | None]] = served

    def find(self, scope: Scope) -> Answer | None:
        """The answer to a request, or None if it asks for inference. The application may be mounted anywhere.

        Serve puts the mount point into `root_path` and leaves `path` whole.
        """
        path, root = scope["path"], scope.get("root_path", "").rstrip("/")
        if root and path.startswith(root):
            path = path[len(root) :]
        found = self._served.get(path) or self._served.get(path.rstrip("/"))
        if found is None:
            return error_answer(self._unknown(path))
        method, answer = found
        if scope["method"] != method:
            refusal = RequestError(f"{path} answers {method}, not {scope['method']}", status=405)
            return error_answer(refusal, extra=((b"allow", method.encode()),))
        return answer

    def _unknown(self, path: str) -> RequestError:
        parts = path.strip("/").split("/")
        if parts[:2] == ["v2", "models"] and len(parts) > 2 and parts[2] != self._model.name:
            return RequestError(f"unknown model {parts[2]!r}; this application serves {self._model.name!r}", 404)
        if parts[:2] == ["v2", "models"] and parts[3:4] == ["versions"] and parts[4:5] != [VERSION]:
            found = "/".join(parts[4:5])
            return RequestError(f"unknown version {found!r} of {self._model.name!r}; served is {VERSION!r}", 404)
        return RequestError(f"nothing is served at {path!r}; known paths: {', '.join(self._served)}", 404)


def _header_length(length: int) -> tuple[bytes, bytes]:
    return (b"inference-header-content-length", b"%d" % length)


def _server_metadata(name: str, version: str) -> dict[str, Any]:
    return {"name": name, "version": version, "extensions": ["binary_tensor_data"]}


def _index_entry(model: ModelSpec) -> dict[str, str]:
    return {"name": model.name, "version": VERSION, "state": "READY", "reason": ""}
