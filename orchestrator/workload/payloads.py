"""From an experiment's `workload` to the payloads that the load client sends."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from orchestrator.errors import PayloadError
from orchestrator.load.endpoint import Endpoint, Payload, encode
from orchestrator.workload import files, function, model_server, oip
from orchestrator.workload.plan import Workload


def make_payloads(workload: Workload, endpoint_url: str, base_dir: Path) -> tuple[Payload, ...]:
    """At least one payload, the same ones for the same workload, each fit to be sent.

    `endpoint_url` is the running application, asked only for what the workload leaves open (the model's name,
    its inputs); a file in `workload.payloads` is relative to `base_dir`. PayloadError says what is wrong and
    what to give instead.
    """
    payloads = _payloads(workload, endpoint_url, base_dir)
    endpoint = Endpoint.parse(endpoint_url)
    for index, payload in enumerate(payloads):
        try:
            encode(endpoint, payload)
        except ValueError as error:
            raise PayloadError(f"workload: payload {index}: {error}") from error
    return payloads


def _payloads(workload: Workload, url: str, base_dir: Path) -> tuple[Payload, ...]:
    source = workload.payloads
    if source is None:
        return _generated(workload, url)
    if source.endswith(".npz"):
        items = files.tensor_items(base_dir / source)
        path = workload.path or model_server.infer_path(_model(workload, url))
        return tuple(_infer(workload, path, item, source) for item in items)
    if source.endswith(".jsonl"):
        headers = {"Content-Type": "application/json", **workload.headers}
        lines = files.json_lines(base_dir / source)
        return tuple(Payload(line, workload.path or "/", workload.method, headers) for line in lines)
    return function.call(workload, base_dir)


def _generated(workload: Workload, url: str) -> tuple[Payload, ...]:
    model = _model(workload, url)
    specs = model_server.model_inputs(url, model, workload.timeout_s)
    path = workload.path or model_server.infer_path(model)
    return tuple(_infer(workload, path, item, f"model {model!r}") for item in _random_items(workload, specs))


def _random_items(workload: Workload, specs: tuple[oip.TensorSpec, ...]) -> Iterator[dict[str, NDArray]]:
    rng = np.random.default_rng(workload.seed)
    for _ in range(workload.count):
        yield {spec.name: oip.random_tensor(spec, workload.dynamic_dim, rng) for spec in specs}


def _infer(workload: Workload, path: str, tensors: Mapping[str, NDArray], source: str) -> Payload:
    try:
        body, headers = oip.infer_request(tensors)
    except ValueError as error:
        raise PayloadError(f"workload.payloads: {source}: {error}") from error
    return Payload(body, path, workload.method, {**headers, **workload.headers})


def _model(workload: Workload, url: str) -> str:
    return workload.model or model_server.only_model(url, workload.timeout_s)
