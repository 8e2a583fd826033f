"""End-to-end batch inference: photos are read, decoded, put into batches and classified; a step is a whole run.

    import_path: serve_apps.offline.pipeline:build
    args: {model: resnet18, engine: onnxruntime, batch_size: 32, workers: 2, data: jpegs, items: 256}

Every run begins anew, with workers that have to be started, so that the delay of the first batch is in each of them:
how much it matters depends on `items`, the length of a run. The parts of a run, in milliseconds:

    load_ms          reading files, summed over the workers: it may exceed the run's time
    decode_ms        decoding and normalising, likewise; 0 for tensors, which are stored as the model takes them
    first_batch_ms   from the beginning of the run until the first batch is there
    inference_ms     the model at work
    idle_ms          waiting for data after the first batch; without workers that is loading itself
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, Protocol

import torch
from torch.utils.data import DataLoader

from serve_apps.engine import Model
from serve_apps.offline.arguments import RAY_DATA, PipelineArgs
from serve_apps.offline.loading import Batch, Photos, collate
from serve_apps.offline.models import make, opened, report
from serve_apps.offline.run import run_over
from serve_apps.offline.source import source_of

NO_MEMORY = ("shared memory", "signal: Bus error", "signal: Killed")
"""How a DataLoader tells of it; whoever has no memory left is killed by the kernel."""


class Job(Protocol):
    """What `build` returns."""

    def step(self) -> Mapping[str, Any]:
        """One run: {"items": how many were done, "parts": {name: milliseconds}, "accuracy": of the variant}."""


def prepare(args: Mapping[str, Any]) -> None:
    """Makes what is made once and kept: the model in its variant, and the photos."""
    wanted = PipelineArgs.from_args(args)
    make(wanted.model, wanted.variant)
    source_of(wanted).find()


def build(args: Mapping[str, Any]) -> Job:
    """The job. ValueError or FileNotFoundError for an argument that is not allowed, InfeasibleError for two that
    do not go together.
    """
    wanted = PipelineArgs.from_args(args)
    if wanted.engine == RAY_DATA:
        from serve_apps.offline.ray_pipeline import RayDataRuns  # slow to import, and only needed for this

        return RayDataRuns(wanted)
    return LoaderRuns(wanted, opened(wanted.model, wanted.variant))


class LoaderRuns:
    """Runs in which a `torch.utils.data.DataLoader` brings the batches to a model in this process."""

    def __init__(self, args: PipelineArgs, model: Model) -> None:
        self._args, self._model = args, model
        self._input = model.spec.inputs[0].name
        self._photos = Photos(source_of(args).find(), args.items)

    def step(self) -> dict[str, Any]:
        """One run. MemoryError where the workers have too little memory, or too little to share batches in."""
        try:
            parts = run_over(self._loader, self._infer, time.perf_counter)
        except RuntimeError as error:
            if any(words in str(error) for words in NO_MEMORY):
                raise MemoryError(f"too little memory, or shared memory (/dev/shm), for the workers: {error}") from None
            raise
        return report(self._args.items, parts.told(), self._model.accuracy)

    def _loader(self) -> DataLoader[Batch]:
        workers = self._args.workers
        return DataLoader(
            self._photos,
            self._args.batch_size,
            num_workers=workers,
            collate_fn=collate,
            multiprocessing_context="fork" if workers else None,  # others would import torch anew in every run
        )

    def _infer(self, pixels: torch.Tensor) -> None:
        self._model.run({self._input: pixels.numpy()})
