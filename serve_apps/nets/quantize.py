"""`python -m serve_apps.nets.quantize NAME FILE PRECISION TARGET [DATA]`: a model in other numbers, compared and kept.

The variant is made from the model's ONNX file. What it agrees on with that, on inputs that it has not been calibrated
on, is written into its own metadata; `serve_apps.onnx_model` tells it with every answer.

- **accuracy**: where the held inputs have labels, the share of them that the variant gets right;
- otherwise **agreement**: of a classifier the share of inputs for which both find the same class, of anything else the
  mean cosine similarity of the first output's rows.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray
from onnxruntime.quantization import CalibrationDataReader, QuantType, quantize_dynamic, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

from serve_apps.nets.build import one_builder
from serve_apps.nets.held import Held, Inputs, held
from serve_apps.nets.store import BUNDLED
from serve_apps.onnx_model import ACCURACY_KEY, providers
from serve_apps.variant import FP16, FP32, INT8, INT8_STATIC

WEIGHTED = ("Conv", "Gemm", "MatMul")
"""What is quantised: where nearly all multiplications are. The rest stays as it is."""


def make(name: str, source: Path, precision: str, target: Path, data: Path | None = None) -> None:
    """Makes the variant unless it is there; the file appears under its name complete or not at all.

    Raises ValueError for a model that there are no held inputs for.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    with one_builder(target):
        if target.exists():
            return
        inputs, draft = held(name, data), target.with_suffix(f".{os.getpid()}.part")
        prepared = target.with_suffix(f".{os.getpid()}.prepared")
        try:
            if precision == FP16:
                _halve(source, draft)
            else:
                quant_pre_process(source, prepared, skip_symbolic_shape=True)
                (_quantize_dynamically if precision == INT8 else _calibrate)(prepared, draft, inputs)
            model = onnx.load(str(draft))
            _tell(model, told(name, source, draft, precision, inputs))
            onnx.save(model, str(draft))
            draft.replace(target)
        finally:
            for left in (draft, prepared):
                left.unlink(missing_ok=True)


def told(name: str, source: Path, variant: Path, precision: str, inputs: Held) -> float:
    """Accuracy of the variant, or its agreement with the model that it was made from; 0 to 1."""
    mine = _first_outputs(variant, inputs.compared, precision)
    if inputs.labels is not None:
        return float((mine.argmax(axis=1) == inputs.labels).mean())
    theirs = _first_outputs(source, inputs.compared, FP32)
    if name in BUNDLED:
        return float((mine.argmax(axis=1) == theirs.argmax(axis=1)).mean())
    return mean_cosine(mine, theirs)


def mean_cosine(some: NDArray, others: NDArray) -> float:
    """Mean cosine of the angle between rows that belong together, 0 at least; rows without length do not count."""
    some, others = (rows.reshape(len(rows), -1).astype(np.float64) for rows in (some, others))
    lengths = np.linalg.norm(some, axis=1) * np.linalg.norm(others, axis=1)
    cosines = (some * others).sum(axis=1)[lengths > 0] / lengths[lengths > 0]
    return max(0.0, float(cosines.mean())) if len(cosines) else 0.0


def _quantize_dynamically(source: Path, draft: Path, inputs: Held) -> None:  # noqa: ARG001 (as `_calibrate`)
    """Weights once, activations as they come: nothing has to be known of those."""
    # What is convolved with weights of int8 is not implemented; those of a sum over channels are.
    kinds = {node.op_type for node in onnx.load(str(source)).graph.node}
    quantize_dynamic(
        source,
        draft,
        op_types_to_quantize=[*WEIGHTED, "Gather"],
        per_channel="Conv" not in kinds,
        reduce_range=not _has_vnni(),
        weight_type=QuantType.QUInt8 if "Conv" in kinds else QuantType.QInt8,
        extra_options={"MatMulConstBOnly": True},
    )


def _calibrate(source: Path, draft: Path, inputs: Held) -> None:
    """Weights, and activations over the range that they have on the calibration inputs."""
    quantize_static(
        source,
        draft,
        _Reader(inputs.calibration),
        op_types_to_quantize=[*WEIGHTED],
        per_channel=True,
        reduce_range=not _has_vnni(),
        activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8,
        extra_options={"MatMulConstBOnly": True},
    )


def _halve(source: Path, draft: Path) -> None:
    from onnxruntime.transformers.float16 import convert_float_to_float16  # imports much that int8 does not need

    onnx.save(convert_float_to_float16(onnx.load(str(source)), keep_io_types=True), str(draft))


class _Reader(CalibrationDataReader):
    """Hands out batches one by one, then None."""

    def __init__(self, batches: list[Inputs]) -> None:
        self._left: Iterator[Inputs] = iter(batches)

    def get_next(self) -> Inputs | None:
        return next(self._left, None)


def _first_outputs(path: Path, batches: list[Inputs], precision: str) -> NDArray:
    session = onnxruntime.InferenceSession(str(path), providers=providers(precision))
    return np.concatenate([session.run(None, batch)[0] for batch in batches])


def _has_vnni(cpuinfo: Path = Path("/proc/cpuinfo")) -> bool:
    """Whether products of int8 are summed without overflow; where not, a bit of the weights is given up for it."""
    try:
        return "vnni" in cpuinfo.read_text()
    except OSError:
        return False


def _tell(model: onnx.ModelProto, accuracy: float) -> None:
    kept = [entry for entry in model.metadata_props if entry.key != ACCURACY_KEY]
    del model.metadata_props[:]
    model.metadata_props.extend(kept)
    model.metadata_props.add(key=ACCURACY_KEY, value=repr(accuracy))


def main() -> None:
    """Make the variant that is named on the command line."""
    parser = argparse.ArgumentParser(description="Make a model in other numbers and compare it.")
    parser.add_argument("name")
    parser.add_argument("source", type=Path)
    parser.add_argument("precision", choices=[FP16, INT8, INT8_STATIC])
    parser.add_argument("target", type=Path)
    parser.add_argument("data", type=Path, nargs="?")
    options = parser.parse_args()
    make(options.name, options.source, options.precision, options.target, options.data)


if __name__ == "__main__":
    main()
