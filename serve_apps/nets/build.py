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
from serve_apps.nets.part import Axes, Part
from serve_apps.onnx_model import ACCURACY_KEY

CHECKED_BATCH_SIZES = (1, 2, 7, 32)
TOLERANCE = 1e-4  # largest difference between a logit from torch and from ONNX Runtime
OPSET = 17
DATATYPES = {torch.float32: "FP32", torch.int64: "INT64"}


def build(name: str) -> tuple[Path, float | None]:
    """Path and held-out accuracy (0..1) of the bundled model `name`; makes it only if it is not there.

    A net without `train` has seeded weights: it computes as much as a trained one, and has no accuracy (None). The file
    appears under its name complete or not at all. Raises RuntimeError when the model is not good enough or when its
    export computes something else.
    """
    path = store.model_path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    with one_builder(path):
        if not path.exists():
            _make(importlib.import_module(f"serve_apps.nets.{name}"), path)
    return path, _stored_accuracy(path)


def _make(net: ModuleType, path: Path) -> None:
    torch.set_num_threads(1)  # the nets are small: on a busy machine threads cost them more than they bring
    trained, accuracy = net.train() if hasattr(net, "train") else (_seeded(net), None)
    if accuracy is not None and accuracy < net.MIN_ACCURACY:
        raise RuntimeError(f"held-out accuracy is {accuracy:.3f}, at least {net.MIN_ACCURACY} is required")
    trained.eval()
    parts = net.parts(trained) if hasattr(net, "parts") else [_only_part(net, trained)]
    drafts = {part.name: path.with_suffix(f".{part.name}{os.getpid()}.part") for part in parts}
    weights = path.with_suffix(f".{os.getpid()}.weights")
    try:
        for part in parts:
            _export(part, drafts[part.name], accuracy)
            _check_equal(part, drafts[part.name])
        if len(parts) == 1:
            told = 1.0 if accuracy is None else accuracy
            torch.save({"weights": trained.state_dict(), "accuracy": told, **_tensors(parts[0])}, weights)
            weights.replace(store.weights_path(path))
        for name in sorted(drafts, reverse=True):  # the main file last: where it is, all are
            drafts[name].replace(store.part_path(path, name))
    finally:
        for draft in (*drafts.values(), weights):
            draft.unlink(missing_ok=True)


def _seeded(net: ModuleType) -> torch.nn.Module:
    torch.manual_seed(net.SEED)
    return net.network()


def _only_part(net: ModuleType, trained: torch.nn.Module) -> Part:
    """Of a net with one input of items of a fixed shape, and one output."""
    rng = np.random.default_rng(net.SEED)

    def example(rows: int) -> tuple[torch.Tensor, ...]:
        return (torch.from_numpy(rng.random((rows, *net.ITEM_SHAPE), dtype=np.float32)),)

    return Part("", trained, example, {net.INPUT: {0: "batch"}}, {net.OUTPUT: {0: "batch"}})


def _tensors(part: Part) -> dict[str, list]:
    """What goes in and what comes out: [name, the protocol's datatype, shape with -1 for any length] of each."""
    inputs = part.example(2)
    with torch.no_grad():
        outputs = part.network(*inputs)

    def described(axes: Axes, tensors: tuple[torch.Tensor, ...]) -> list:
        return [
            [name, DATATYPES[tensor.dtype], [-1 if axis in free else n for axis, n in enumerate(tensor.shape)]]
            for (name, free), tensor in zip(axes.items(), tensors, strict=True)
        ]

    several = outputs if isinstance(outputs, tuple) else (outputs,)
    return {"inputs": described(part.inputs, inputs), "outputs": described(part.outputs, several)}


def _export(part: Part, path: Path, accuracy: float | None) -> None:
    with warnings.catch_warnings(), torch.no_grad():
        # The newer exporter needs onnxscript; this one is deprecated, complete for such nets, and says so.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            part.network,
            part.example(1),
            str(path),
            input_names=list(part.inputs),
            output_names=list(part.outputs),
            dynamic_axes={**part.inputs, **part.outputs},
            opset_version=OPSET,
            dynamo=False,
        )
    model = onnx.load(str(path))
    if accuracy is not None:
        model.metadata_props.add(key=ACCURACY_KEY, value=repr(accuracy))
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, str(path))


def _check_equal(part: Part, path: Path) -> None:
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    for size in CHECKED_BATCH_SIZES:
        with torch.no_grad():
            example = part.example(size)
            expected = part.network(*example)
        found = session.run(list(part.outputs), {name: x.numpy() for name, x in zip(part.inputs, example, strict=True)})
        for mine, theirs in zip(found, expected if isinstance(expected, tuple) else (expected,), strict=True):
            difference = float(np.abs(mine - theirs.numpy()).max())
            if difference > TOLERANCE:
                raise RuntimeError(f"the export differs from torch by {difference:.2g} at batch size {size}")


def _stored_accuracy(path: Path) -> float | None:
    properties = {entry.key: entry.value for entry in onnx.load(str(path)).metadata_props}
    return float(properties[ACCURACY_KEY]) if ACCURACY_KEY in properties else None


@contextmanager
def one_builder(path: Path) -> Iterator[None]:
    """Hold the lock file beside `path`, so that replicas that start together train the model once."""
    with path.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def main() -> None:
    """Build the model named on the command line; print its path, accuracy and the seconds it took."""
    parser = argparse.ArgumentParser(description="Train, check and export a bundled model.")
    parser.add_argument("name", choices=store.BUILT)
    started = time.perf_counter()
    path, accuracy = build(parser.parse_args().name)
    told = "seeded weights" if accuracy is None else f"accuracy {accuracy:.4f}"
    print(f"{path}  {told}  {time.perf_counter() - started:.1f} s")


if __name__ == "__main__":
    main()
