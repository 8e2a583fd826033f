"""`python -m serve_apps.nets.build digits`: train a bundled model, check it, export it to ONNX, keep it."""

from __future__ import annotations

import argparse
import fcntl
import importlib
import os
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

import numpy as np
import onnx
import onnxruntime
import torch

from serve_apps.nets import store

CHECKED_BATCH_SIZES = (1, 2, 7, 32)
TOLERANCE = 1e-4  # largest difference between a logit from torch and from ONNX Runtime
ACCURACY_KEY = "held_out_accuracy"
OPSET = 17


def build(name: str) -> tuple[Path, float | None]:
    """Path and held-out accuracy (0..1) of the bundled model `name`; makes it only if it is not there.

    A net without `train` has seeded weights: it computes as much as a trained one, and has no accuracy (None). The file
    appears under its name complete or not at all. Raises RuntimeError when the model is not good enough or when its
    export computes something else.
    """
    path = store.model_path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    with _one_builder(path):
        if not path.exists():
            _make(importlib.import_module(f"serve_apps.nets.{name}"), path)
    return path, _stored_accuracy(path)


def _make(net: ModuleType, path: Path) -> None:
    torch.set_num_threads(1)  # the nets are small: on a busy machine threads cost them more than they bring
    trained, accuracy = net.train() if hasattr(net, "train") else (_seeded(net), None)
    if accuracy is not None and accuracy < net.MIN_ACCURACY:
        raise RuntimeError(f"held-out accuracy is {accuracy:.3f}, at least {net.MIN_ACCURACY} is required")
    draft = path.with_suffix(f".{os.getpid()}.part")
    try:
        _export(net, trained, draft, accuracy)
        _check_equal(net, trained, draft)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def _seeded(net: ModuleType) -> torch.nn.Module:
    torch.manual_seed(net.SEED)
    return net.network()


def _export(net: ModuleType, trained: torch.nn.Module, path: Path, accuracy: float | None) -> None:
    trained.eval()
    with warnings.catch_warnings():
        # The newer exporter needs onnxscript; this one is deprecated, complete for such nets, and says so.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            trained,
            (torch.zeros(1, *net.ITEM_SHAPE),),
            str(path),
            input_names=[net.INPUT],
            output_names=[net.OUTPUT],
            dynamic_axes={net.INPUT: {0: "batch"}, net.OUTPUT: {0: "batch"}},
            opset_version=OPSET,
            dynamo=False,
        )
    model = onnx.load(str(path))
    if accuracy is not None:
        model.metadata_props.add(key=ACCURACY_KEY, value=repr(accuracy))
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, str(path))


def _check_equal(net: ModuleType, trained: torch.nn.Module, path: Path) -> None:
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    rng = np.random.default_rng(net.SEED)
    for size in CHECKED_BATCH_SIZES:
        batch = rng.random((size, *net.ITEM_SHAPE), dtype=np.float32)
        with torch.no_grad():
            expected = trained(torch.from_numpy(batch)).numpy()
        difference = float(np.abs(session.run([net.OUTPUT], {net.INPUT: batch})[0] - expected).max())
        if difference > TOLERANCE:
            raise RuntimeError(f"the export differs from torch by {difference:.2g} at batch size {size}")


def _stored_accuracy(path: Path) -> float | None:
    properties = {entry.key: entry.value for entry in onnx.load(str(path)).metadata_props}
    return float(properties[ACCURACY_KEY]) if ACCURACY_KEY in properties else None


@contextmanager
def _one_builder(path: Path) -> Iterator[None]:
    """Hold the lock file beside `path`, so that replicas that start together train the model once."""
    with path.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def main() -> None:
    """Build the model named on the command line; print its path, accuracy and the seconds it took."""
    parser = argparse.ArgumentParser(description="Train, check and export a bundled model.")
    parser.add_argument("name", choices=store.BUNDLED)
    started = time.perf_counter()
    path, accuracy = build(parser.parse_args().name)
    told = "seeded weights" if accuracy is None else f"accuracy {accuracy:.4f}"
    print(f"{path}  {told}  {time.perf_counter() - started:.1f} s")


if __name__ == "__main__":
    main()
