"""From an experiment's `workload` to the payloads that the load client sends."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from orchestrator.errors import PayloadError
from orchestrator.load.endpoint import Endpoint, Payload, encode
from orchestrator.workload import files, function, model_server, oip
from orchestrator.workload.mix import mixed
from orchestrator.workload.place import told_at
from orchestrator.workload.plan import Source, Workload
from orchestrator.workload.sizes import Sizes


def make_payloads(
    workload: Workload, endpoint_url: str, base_dir: Path, items_per_request: int = 1
) -> tuple[Payload, ...]:
    """The payloads in the order in which they are to be sent, over and over; at least one, each fit to be sent.

    The same workload gives the same ones. In a mix a payload occurs many times, always as the same object.
    `endpoint_url` is the running application, asked only for what the workload leaves open (the model's name,
    its inputs); a file in `payloads` is relative to `base_dir`. PayloadError says what is wrong and what to give
    instead.
    """
    parts = []
    for place, source in workload.sources().items():
        maker = _Maker(place, source, endpoint_url, workload, items_per_request)
        parts.append(maker.payloads(base_dir))
    if workload.mix is None:
        return parts[0]
    try:
        return mixed(parts, [part.weight for part in workload.mix], workload.seed)
    except ValueError as error:
        raise PayloadError(f"workload.mix: {error}") from error


class _Maker:
    """Makes the payloads of one source; `place` is where the source stands in the experiment file."""

    def __init__(self, place: str, source: Source, url: str, workload: Workload, items: int) -> None:
        self._place, self._source, self._url = place, source, url
        self._timeout_s, self._encoding, self._items = workload.timeout_s, workload.encoding, items

    def payloads(self, base_dir: Path) -> tuple[Payload, ...]:
        payloads = self._payloads(base_dir)
        endpoint = Endpoint.parse(self._url)
        for index, payload in enumerate(payloads):
            try:
                encode(endpoint, payload)
            except ValueError as error:
                raise PayloadError(f"{self._place}: payload {index}: {error}") from error
        return payloads

    def _payloads(self, base_dir: Path) -> tuple[Payload, ...]:
        source = self._source
        if source.payloads is None:
            with told_at(self._place):
                return self._generated()
        if source.payloads.endswith(".npz"):
            with told_at(f"{self._place}.payloads"):
                requests = files.tensor_groups(base_dir / source.payloads, self._items)
            with told_at(self._place):
                path = source.path or model_server.infer_path(self._model())
                return tuple(self._infer(path, tensors, source.payloads) for tensors in requests)
        with told_at(f"{self._place}.payloads"):
            if source.payloads.endswith(".jsonl"):
                headers = {"Content-Type": "application/json", **source.headers}
                bodies = files.json_groups(base_dir / source.payloads, self._items)
                return tuple(Payload(body, source.path or "/", source.method, headers) for body in bodies)
            return function.call(source, base_dir, self._items, self._encoding)

    def _generated(self) -> tuple[Payload, ...]:
        model = self._model()
        specs = model_server.model_inputs(self._url, model, self._timeout_s)
        if self._items > 1 and not any(spec.batched for spec in specs):
            why = "none of its inputs has a free first axis (-1) for several items"
            raise PayloadError(f"model {model!r}: {why}: load.items_per_request has to be 1, not {self._items}")
        path = self._source.path or model_server.infer_path(model)
        return tuple(self._infer(path, tensors, f"model {model!r}") for tensors in self._random(specs))

    def _random(self, specs: tuple[oip.TensorSpec, ...]) -> Iterator[dict[str, NDArray]]:
        rng, size = np.random.default_rng(self._source.seed), self._source.dynamic_dim
        for _ in range(self._source.count):
            # one length for all inputs: token ids and their mask are equally long
            length = size.draw(rng) if isinstance(size, Sizes) else size
            yield {spec.name: oip.random_tensor(spec, spec.concrete(length, self._items), rng) for spec in specs}

    def _infer(self, path: str, tensors: Mapping[str, NDArray], origin: str) -> Payload:
        try:
            body, headers = oip.infer_request(tensors, self._encoding)
        except ValueError as error:
            raise PayloadError(f"{origin}: {error}") from error
        return Payload(body, path, self._source.method, {**headers, **self._source.headers})

    def _model(self) -> str:
        return self._source.model or model_server.only_model(self._url, self._timeout_s)
