"""The same runs on Ray Data, for data that is larger than one machine: workers and copies of the model are actors.

They are started for every run, as the workers of a DataLoader are, and may be on any node. A user's directory has to be
there on all of them; what is made up is made where it is needed. Each actor reserves little: the trial has the cluster
for itself, and how many of them are too many is what is to be found out.
"""

from __future__ import annotations

import math
import time
from typing import Any

import numpy as np
import ray.data
from ray.data import ActorPoolStrategy, DataContext, Dataset

from serve_apps.offline.arguments import PipelineArgs
from serve_apps.offline.models import opened, report
from serve_apps.offline.run import Parts
from serve_apps.offline.source import Source, source_of

RESERVED_CPUS = 0.1

Rows = dict[str, np.ndarray]
"""Columns of a batch, each [n, ...]."""


class Reader:
    """A worker: from numbers of items to their pictures."""

    def __init__(self, source: Source) -> None:
        self._files = source.find()

    def __call__(self, rows: Rows) -> Rows:
        """{"id": [n]} -> pictures [n, 3, height, width], and the seconds that each took."""
        items = [self._files.read(index) for index in rows["id"].tolist()]
        return {
            "pixels": np.stack([item.pixels for item in items]),
            "load_s": np.array([item.load_s for item in items]),
            "decode_s": np.array([item.decode_s for item in items]),
        }


class Classifier:
    """A copy of the model. It passes on the times of its items, each with a share of the time of its batch.

    The accuracy of the model's variant goes with them, NaN where it is not known.
    """

    def __init__(self, args: PipelineArgs) -> None:
        self._model = opened(args.model, args.variant)
        self._input = self._model.spec.inputs[0].name
        self._free_s: float | None = None  # when the batch before was done

    def __call__(self, rows: Rows) -> Rows:
        """Seconds that each picture took before -> with those of inferring it, and of waiting for its batch."""
        pixels = rows.pop("pixels")
        started_s = time.perf_counter()
        waited_s = 0.0 if self._free_s is None else started_s - self._free_s
        self._model.run({self._input: np.ascontiguousarray(pixels)})
        self._free_s = time.perf_counter()
        each = np.full(len(pixels), 1 / len(pixels))
        accuracy = math.nan if self._model.accuracy is None else self._model.accuracy
        return {
            **rows,
            "inference_s": each * (self._free_s - started_s),
            "idle_s": each * waited_s,
            "accuracy": np.full(len(pixels), accuracy),
        }


class RayDataRuns:
    """Runs by `ray.data`: a batch is a block, so that a worker makes a whole one as those of a DataLoader do."""

    def __init__(self, args: PipelineArgs) -> None:
        self._args = args
        self._source = source_of(args)
        self._source.find()  # says at once where there are none; each actor finds those of its own node
        context = DataContext.get_current()
        context.enable_progress_bars = False
        context.print_on_execution_start = False

    def step(self) -> dict[str, Any]:
        """One run. `first_batch_ms` is until the first results less what inferring them took."""
        began_s = time.perf_counter()
        parts, accuracy = Parts(), math.nan
        for rows in self._dataset().iter_batches(batch_size=None, batch_format="numpy"):
            if not parts.first_batch_s:
                parts.first_batch_s = time.perf_counter() - began_s - float(rows["inference_s"].sum())
            for name in ("load_s", "decode_s", "inference_s", "idle_s"):
                setattr(parts, name, getattr(parts, name) + float(rows[name].sum()))
            accuracy = float(rows["accuracy"][-1])  # all copies are of one variant
        return report(self._args.items, parts.told(), None if math.isnan(accuracy) else accuracy)

    def _dataset(self) -> Dataset:
        args = self._args
        blocks = math.ceil(args.items / args.batch_size)
        return (
            ray.data.range(args.items, override_num_blocks=blocks)
            .map_batches(
                Reader,
                fn_constructor_args=(self._source,),
                batch_size=args.batch_size,
                compute=ActorPoolStrategy(size=args.workers),
                num_cpus=RESERVED_CPUS,
            )
            .map_batches(
                Classifier,
                fn_constructor_args=(args,),
                batch_size=args.batch_size,
                compute=ActorPoolStrategy(size=args.copies),
                num_cpus=RESERVED_CPUS,
            )
        )
