"""Asks a running application, by the Open Inference Protocol v2, what it serves and what that takes."""

from __future__ import annotations

import http.client
import json
import urllib.error
import urllib.request
from typing import Any
from urllib.parse import quote

from orchestrator.errors import PayloadError
from orchestrator.workload.oip import TensorSpec

_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # the application is ours: no proxy between
_OTHERWISE = "give workload.payloads (a module:function, .npz or .jsonl)"


def only_model(url: str, timeout_s: float) -> str:
    """The name of the one model that the application at `url` serves; PayloadError unless it is just one."""
    index = _ask(url, "POST", "/v2/repository/index", timeout_s)
    try:
        names = sorted({str(entry["name"]) for entry in index})
    except (TypeError, KeyError) as error:
        raise PayloadError(f"{url}: its list of models is not as the protocol has it; {_OTHERWISE}") from error
    if len(names) != 1:
        raise PayloadError(f"{url} serves {', '.join(names) or 'no model'}: say which with workload.model")
    return names[0]


def model_inputs(url: str, model: str, timeout_s: float) -> tuple[TensorSpec, ...]:
    """What the model takes, in its own order; PayloadError when that cannot be known or made."""
    metadata = _ask(url, "GET", f"/v2/models/{quote(model, safe='')}", timeout_s)
    inputs = metadata.get("inputs") if isinstance(metadata, dict) else None
    if not isinstance(inputs, list) or not inputs:
        raise PayloadError(f"model {model!r} at {url} does not say what inputs it takes; {_OTHERWISE}")
    try:
        return tuple(TensorSpec.parse(entry) for entry in inputs)
    except ValueError as error:
        raise PayloadError(f"model {model!r} at {url}: {error}; {_OTHERWISE}") from error


def infer_path(model: str) -> str:
    """Where infer requests for the model go."""
    return f"/v2/models/{quote(model, safe='')}/infer"


def _ask(url: str, method: str, path: str, timeout_s: float) -> Any:
    body = b"{}" if method == "POST" else None
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(url.rstrip("/") + path, data=body, headers=headers, method=method)
    asked = f"{method} {request.full_url}"
    try:
        with _DIRECT.open(request, timeout=timeout_s) as answer:
            return json.loads(answer.read())
    except urllib.error.HTTPError as error:
        raise PayloadError(_refusal(asked, error)) from error
    except (OSError, http.client.HTTPException) as error:  # refused, broken or timed out
        reason = error.reason if isinstance(error, urllib.error.URLError) else error
        raise PayloadError(f"{asked}: no answer within {timeout_s:g} s ({reason or type(reason).__name__})") from error
    except ValueError as error:
        raise PayloadError(f"{asked}: the answer is not JSON; {_OTHERWISE}") from error


def _refusal(asked: str, error: urllib.error.HTTPError) -> str:
    if error.code in (404, 405):
        cause = "no such model, or the application does not speak OIP v2"
        return f"{asked}: HTTP {error.code}: {cause}; {_OTHERWISE}"
    said = error.read(300).decode(errors="replace").strip()
    return f"{asked}: HTTP {error.code}: {said or error.reason}"
