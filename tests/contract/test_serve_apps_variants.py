"""A model in other numbers or by another engine: what every variant promises, with small models of the project."""

from __future__ import annotations

import re
import subprocess
from types import SimpleNamespace

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from serve_apps import onnx_model
from serve_apps.engine import open_model
from serve_apps.nets import build, quantize, store
from serve_apps.nets.held import held
from serve_apps.nets.quantize import make, mean_cosine
from serve_apps.onnx_model import OnnxModel, providers
from serve_apps.settings import Source
from serve_apps.variant import InfeasibleError, Variant

ENCODER, CLASSIFIER = "encoder_tiny", "digits"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Where models are kept for all tests: the two are built once."""
    place = tmp_path_factory.mktemp("models")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ORCHESTRATOR_MODEL_DIR", str(place))
        for name in (ENCODER, CLASSIFIER):
            build.build(name)
        yield place


def inputs(name, rows=3):
    batch = held(name).compared[0]
    return {key: value[:rows] for key, value in batch.items()}


@pytest.mark.parametrize("name", [ENCODER, CLASSIFIER])
@pytest.mark.parametrize("precision", ["int8", "int8_static"])
def test_a_variant_has_the_models_form_and_tells_how_far_it_agrees(folder, name, precision):
    path = store.model_path(name)
    target = store.variant_path(path, precision)
    make(name, path, precision, target)
    as_it_is, variant = OnnxModel(name, path, 1), OnnxModel(name, target, 1)
    assert variant.spec == as_it_is.spec
    assert 0.9 < variant.accuracy <= 1
    asked = inputs(name)
    assert mean_cosine(as_it_is.run(asked)[0], variant.run(asked)[0]) > 0.95
    assert target.stat().st_size < path.stat().st_size, "a byte for each weight instead of four"
    assert not list(folder.glob("*.part")), "no draft is left"


def test_the_accuracy_of_digits_is_the_true_one_of_those_that_were_held_out(folder):
    path = store.model_path(CLASSIFIER)
    inputs = held(CLASSIFIER)
    assert inputs.labels is not None
    assert quantize.told(CLASSIFIER, path, path, "fp32", inputs) == pytest.approx(OnnxModel("m", path, 1).accuracy)


def test_what_is_compared_has_not_been_calibrated_on(folder):
    for name in (ENCODER, CLASSIFIER, "svhn"):
        inputs = held(name)
        seen = {row.tobytes() for batch in inputs.calibration for row in next(iter(batch.values()))}
        assert not any(row.tobytes() in seen for batch in inputs.compared for row in next(iter(batch.values())))


def test_a_variant_is_made_once(folder, monkeypatch):
    path = store.model_path(CLASSIFIER)
    target = store.variant_path(path, "int8")
    make(CLASSIFIER, path, "int8", target)
    monkeypatch.setattr(subprocess, "run", lambda *args, **kwargs: pytest.fail("made again"))
    assert store.ensure_variant(CLASSIFIER, path, "int8") == target
    monkeypatch.setattr(quantize, "held", lambda *args: pytest.fail("made again"))
    make(CLASSIFIER, path, "int8", target)


def test_another_model_or_other_data_is_another_file(tmp_path):
    mine, data = tmp_path / "mine.onnx", tmp_path / "data.npz"
    mine.write_bytes(b"1")
    data.write_bytes(b"1")
    first = store.variant_path(mine, "int8")
    names = {first, store.variant_path(mine, "int8_static"), store.variant_path(mine, "int8", data)}
    mine.write_bytes(b"12")
    assert len({*names, store.variant_path(mine, "int8")}) == 4
    assert first.name.startswith("mine.int8-")


def test_a_variant_that_cannot_be_made_says_why(tmp_path, monkeypatch):
    monkeypatch.setenv("ORCHESTRATOR_MODEL_DIR", str(tmp_path))
    (tmp_path / "mine.onnx").touch()
    failed = SimpleNamespace(returncode=1, stderr="No space left on device")
    monkeypatch.setattr(subprocess, "run", lambda *args, **kwargs: failed)
    with pytest.raises(RuntimeError, match=r"cannot build int8 of the model 'mine' in .*: No space left on device"):
        store.ensure_variant("", tmp_path / "mine.onnx", "int8")


@pytest.fixture
def mine(tmp_path):
    """A user's own file: y = x W."""
    weights = np.random.default_rng(0).normal(size=(8, 4)).astype(np.float32)
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "w"], ["y"])],
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 8])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 4])],
        [onnx.numpy_helper.from_array(weights, "w")],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), tmp_path / "m.onnx")
    return tmp_path / "m.onnx"


def test_a_model_of_the_users_own_is_calibrated_on_and_compared_by_the_users_inputs(mine, tmp_path):
    np.savez(tmp_path / "data.npz", x=np.random.default_rng(1).normal(size=(40, 8)).astype(np.float32))
    make("", mine, "int8_static", tmp_path / "small.onnx", tmp_path / "data.npz")
    assert 0.98 < OnnxModel("m", tmp_path / "small.onnx", 1).accuracy < 1


def test_without_inputs_of_the_users_own_it_is_said_which_argument_is_missing(mine, tmp_path):
    with pytest.raises(ValueError, match=r"args\.data has to name an \.npz file"):
        make("", mine, "int8", tmp_path / "small.onnx")


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        ({"x": np.zeros((1, 8))}, "1 items are too few"),
        ({"x": np.zeros((4, 8)), "z": np.zeros(3)}, "do not have one row for each item"),
    ],
)
def test_inputs_that_cannot_be_used_are_refused(arrays, words, tmp_path):
    np.savez(tmp_path / "data.npz", **arrays)
    with pytest.raises(ValueError, match=re.escape(words)):
        held("", tmp_path / "data.npz")


@pytest.mark.parametrize("name", [ENCODER, CLASSIFIER])
def test_torch_computes_what_onnx_runtime_does(folder, name):
    source, asked = Source(name, None), inputs(name)
    by_torch = open_model(source, Variant(engine="torch"), 1)
    by_onnx = open_model(source, Variant(), 1)
    assert (by_torch.spec.inputs, by_torch.spec.outputs) == (by_onnx.spec.inputs, by_onnx.spec.outputs)
    (mine,), (theirs,) = by_torch.run(by_torch.prepare(asked)), by_onnx.run(by_onnx.prepare(asked))
    np.testing.assert_allclose(mine, theirs, atol=1e-4)


def test_a_file_of_the_users_own_is_none_for_torch(mine):
    with pytest.raises(ValueError, match=r"args\.engine is 'torch', which takes bundled models only; m\.onnx"):
        open_model(Source("m", mine), Variant(engine="torch"), 1)


def test_fp16_is_infeasible_where_there_is_no_gpu_for_it(mine, monkeypatch):
    monkeypatch.setattr(onnx_model.onnxruntime, "get_available_providers", lambda: ["CPUExecutionProvider"])
    with pytest.raises(InfeasibleError, match=r"infeasible: args\.precision is 'fp16', and this node"):
        open_model(Source("m", mine), Variant("fp16"), 1)


def test_fp16_is_computed_by_the_gpu_where_there_is_one(monkeypatch):
    found = ["CUDAExecutionProvider", "CPUExecutionProvider"]
    monkeypatch.setattr(onnx_model.onnxruntime, "get_available_providers", lambda: found)
    assert providers("fp16") == found
    assert providers("fp32") == ["CPUExecutionProvider"]


@pytest.mark.parametrize(
    ("some", "others", "expected"),
    [
        ([[1, 0], [0, 2]], [[3, 0], [0, 1]], 1.0),
        ([[1, 0], [1, 0]], [[1, 0], [0, 1]], 0.5),
        ([[1, 0], [0, 0]], [[1, 0], [1, 1]], 1.0),
        ([[1, 0]], [[-1, 0]], 0.0),
    ],
    ids=["lengths do not matter", "the mean", "rows without length", "never below 0"],
)
def test_agreement_is_the_mean_cosine(some, others, expected):
    assert mean_cosine(np.array(some, float), np.array(others, float)) == pytest.approx(expected)
