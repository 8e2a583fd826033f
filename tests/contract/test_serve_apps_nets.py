"""The bundled models: their images, their place on disk, and what keeps a bad one from being stored."""

import importlib
import subprocess
from types import SimpleNamespace

import numpy as np
import onnxruntime
import pytest
import torch

from serve_apps.nets import build, images, store
from serve_apps.nets.part import Part


def test_enlarging_keeps_flat_images_flat_and_the_range_of_the_ink():
    enlarged = images.upscale(np.stack([np.full((8, 8), ink) for ink in (0, 8, 16)]))
    assert enlarged.shape == (3, 1, 28, 28)
    assert enlarged.dtype == np.float32
    assert [np.unique(image).tolist() for image in enlarged] == [[0], [0.5], [1]]


def test_enlarging_is_linear_between_pixel_centres():
    ramp = np.tile(np.arange(8.0), (8, 1))
    enlarged = images.upscale(ramp[np.newaxis])[0, 0] * images.INK_MAX
    expected = np.clip((np.arange(28) + 0.5) * 8 / 28 - 0.5, 0, 7)
    np.testing.assert_allclose(enlarged[13], expected, atol=1e-5)
    np.testing.assert_allclose(images.upscale(ramp.T[np.newaxis])[0, 0].T * images.INK_MAX, enlarged, atol=1e-5)


PLACES = {
    "chosen": ({"ORCHESTRATOR_MODEL_DIR": "/m", "XDG_CACHE_HOME": "/c"}, "/m"),
    "user's cache": ({"XDG_CACHE_HOME": "/c"}, "/c/ray-serve-orchestrator/models"),
    "empty means unset": (
        {"ORCHESTRATOR_MODEL_DIR": "", "XDG_CACHE_HOME": "/c"},
        "/c/ray-serve-orchestrator/models",
    ),
}


@pytest.mark.parametrize(("environ", "folder"), PLACES.values(), ids=PLACES)
def test_a_model_lies_where_the_environment_says(environ, folder):
    path = store.model_path("digits", environ)
    assert str(path.parent) == folder
    assert path.name.startswith("digits-")
    assert path.suffix == ".onnx"


def test_without_any_setting_a_model_lies_in_the_home_directory(monkeypatch):
    monkeypatch.setenv("HOME", "/home/me")
    assert str(store.model_path("digits", {}).parent) == "/home/me/.cache/ray-serve-orchestrator/models"


def test_another_definition_is_another_file(monkeypatch, tmp_path):
    before = store.model_path("digits", {})
    for name in ("images.py", "digits.py", "build.py", "part.py"):
        (tmp_path / name).write_text("# changed")
    monkeypatch.setattr(store, "_NETS", tmp_path)
    assert store.model_path("digits", {}).name != before.name


def test_a_stored_model_is_not_built_again(monkeypatch, tmp_path):
    monkeypatch.setenv("ORCHESTRATOR_MODEL_DIR", str(tmp_path))
    store.model_path("digits").touch()
    monkeypatch.setattr(subprocess, "run", lambda *args, **kwargs: pytest.fail("built again"))
    assert store.ensure_built("digits") == store.model_path("digits")


def test_a_missing_model_is_built_in_another_process_that_finds_the_package(monkeypatch, tmp_path):
    monkeypatch.setenv("ORCHESTRATOR_MODEL_DIR", str(tmp_path))
    calls = []

    def run(command, env, **kwargs):
        calls.append((command[1:], env["PYTHONPATH"].split(":")[0]))
        store.model_path("digits").touch()
        return SimpleNamespace(returncode=0, stderr="")

    monkeypatch.setattr(subprocess, "run", run)
    assert store.ensure_built("digits").exists()
    root = str(images.__file__).removesuffix("/serve_apps/nets/images.py")
    assert calls == [(["-m", "serve_apps.nets.build", "digits"], root)]


def test_a_build_that_fails_says_why(monkeypatch, tmp_path):
    monkeypatch.setenv("ORCHESTRATOR_MODEL_DIR", str(tmp_path))
    failed = SimpleNamespace(returncode=1, stderr="No space left on device")
    monkeypatch.setattr(subprocess, "run", lambda *args, **kwargs: failed)
    with pytest.raises(RuntimeError, match=r"cannot build the bundled model 'digits' .*No space left on device"):
        store.ensure_built("digits")


class Net:
    """A definition module as `build` takes it, with a network of one layer."""

    SEED, INPUT, OUTPUT, ITEM_SHAPE, MIN_ACCURACY = 0, "image", "logits", (4,), 0.95

    def __init__(self, accuracy=0.96):
        self.accuracy, self.layer = accuracy, torch.nn.Linear(4, 2)

    def train(self):
        return self.layer, self.accuracy


def test_a_good_net_is_exported_with_a_free_batch_and_its_accuracy(tmp_path):
    build._make(Net(), tmp_path / "net.onnx")
    session = onnxruntime.InferenceSession(str(tmp_path / "net.onnx"), providers=["CPUExecutionProvider"])
    assert session.run(["logits"], {"image": np.zeros((5, 4), "f4")})[0].shape == (5, 2)
    assert build._stored_accuracy(tmp_path / "net.onnx") == 0.96
    assert sorted(file.name for file in tmp_path.iterdir()) == ["net.onnx", "net.pt"]
    stored = torch.load(tmp_path / "net.pt", weights_only=True)
    assert stored["inputs"] == [["image", "FP32", [-1, 4]]]
    assert stored["accuracy"] == 0.96


def test_a_net_that_is_not_good_enough_is_not_stored(tmp_path):
    with pytest.raises(RuntimeError, match=r"accuracy is 0\.940, at least 0\.95 is required"):
        build._make(Net(accuracy=0.94), tmp_path / "net.onnx")
    assert list(tmp_path.iterdir()) == []


def test_an_export_that_computes_something_else_is_not_stored(tmp_path, monkeypatch):
    net, export = Net(), build._export

    def export_then_change(*args):
        export(*args)
        with torch.no_grad():
            net.layer.bias += 1

    monkeypatch.setattr(build, "_export", export_then_change)
    with pytest.raises(RuntimeError, match="the export differs from torch by 1 at batch size 1"):
        build._make(net, tmp_path / "net.onnx")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "shape", "outputs"),
    [("clothing", (1, 28, 28), 10), ("svhn", (3, 32, 32), 11), ("resnet_cifar", (3, 32, 32), 10)],
)
def test_the_nets_of_the_studies_are_built_from_a_seed(name, shape, outputs, monkeypatch, tmp_path):
    monkeypatch.setenv("ORCHESTRATOR_MODEL_DIR", str(tmp_path))
    path, accuracy = build.build(name)
    assert accuracy is None
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    (logits,) = session.run(["logits"], {"image": np.ones((3, *shape), "f4")})
    assert logits.shape == (3, outputs)
    assert np.isfinite(logits).all()
    assert np.ptp(logits[0]) > 0, "weights that say something"


def test_a_net_of_several_files_is_complete_when_its_main_file_is_there(tmp_path, monkeypatch):
    class Doubled:
        SEED = 0

        @staticmethod
        def network():
            return torch.nn.Identity()

        @staticmethod
        def parts(network):
            def example(rows):
                return (torch.ones(rows, 4),)

            free = ({"x": {0: "batch"}}, {"y": {0: "batch"}})
            return [Part("", torch.nn.Linear(4, 2), example, *free), Part("more", torch.nn.ReLU(), example, *free)]

    kept = []
    monkeypatch.setattr(build.Path, "replace", lambda draft, path: kept.append(path.name))
    build._make(Doubled, tmp_path / "net.onnx")
    assert kept == ["net.more.onnx", "net.onnx"]
    assert list(tmp_path.iterdir()) == [], "no draft is left"


def test_the_file_of_a_part_lies_beside_the_main_one(tmp_path):
    assert store.part_path(tmp_path / "a-1f.onnx", "") == tmp_path / "a-1f.onnx"
    assert store.part_path(tmp_path / "a-1f.onnx", "step") == tmp_path / "a-1f.step.onnx"


def encoded(path, rows, length):
    """The vectors of so many sentences of 5 tokens that are padded to a length."""
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    tokens = np.zeros((rows, length), np.int64)
    tokens[:, :5] = np.random.default_rng(3).integers(1, 30_000, (rows, 5))
    mask = (np.arange(length) < 5).astype(np.int64) * np.ones((rows, 1), np.int64)
    return session.run(["sentence_vector"], {"input_ids": tokens, "attention_mask": mask})[0]


def test_an_encoder_reads_sentences_of_any_length_into_vectors_of_length_1(monkeypatch, tmp_path):
    monkeypatch.setenv("ORCHESTRATOR_MODEL_DIR", str(tmp_path))
    path, _ = build.build("encoder_tiny")
    vectors = encoded(path, rows=3, length=5)
    assert vectors.shape == (3, 128)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(encoded(path, rows=3, length=64), vectors, atol=1e-5, err_msg="padding is not read")
    assert np.linalg.norm(vectors[0] - vectors[1]) > 0.1, "weights that say something"


@pytest.mark.parametrize(("name", "millions"), [("tiny", 4.4), ("minilm", 22.6)])
def test_encoders_have_the_shapes_that_they_are_named_after(name, millions):
    network = importlib.import_module(f"serve_apps.nets.encoder_{name}").network()
    assert sum(weight.numel() for weight in network.parameters()) / 1e6 == pytest.approx(millions, abs=0.05)
    assert "encoder.layer.1.attention.self.query.weight" in network.state_dict()


SIZES = {"resnet18": 11_689_512, "resnet50": 25_557_032, "mobilenet": 3_504_872, "squeezenet": 1_235_496}


@pytest.mark.parametrize(("name", "weights"), SIZES.items())
def test_a_net_for_pictures_has_as_many_weights_as_its_paper_says(name, weights):
    network = importlib.import_module(f"serve_apps.nets.{name}").network().eval()
    assert sum(weight.numel() for weight in network.parameters()) == weights
    with torch.inference_mode():
        assert network(torch.zeros(1, 3, 224, 224)).shape == (1, 1000)
