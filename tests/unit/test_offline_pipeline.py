"""The pipeline: its arguments, the photos that it reads, and where the time of a run goes; without torch and Ray."""

from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from serve_apps.datasets.photos import photo_files
from serve_apps.offline.arguments import PipelineArgs
from serve_apps.offline.run import run_over
from serve_apps.offline.source import Source
from serve_apps.variant import InfeasibleError


@pytest.fixture(autouse=True)
def _kept_here(monkeypatch, tmp_path):
    monkeypatch.setenv("ORCHESTRATOR_MODEL_DIR", str(tmp_path / "kept"))


@pytest.mark.parametrize(
    "args",
    [
        {},
        {"model": "mobilenet", "engine": "torch", "batch_size": 256, "workers": 4, "data": "tensors", "items": 1},
        {"engine": "ray_data", "workers": 1, "copies": 2},
        {"decoder": "turbo"},
        {"data": ".", "size": [64, 48]},
    ],
    ids=["all left out", "torch", "ray_data", "a decoder", "a directory"],
)
def test_arguments_that_are_allowed(args):
    found = PipelineArgs.from_args(args)
    assert {name: getattr(found, name) for name in args if name != "size"} == {
        n: v for n, v in args.items() if n != "size"
    }
    assert isinstance(found.size, tuple)


@pytest.mark.parametrize(
    ("args", "error", "message"),
    [
        ({"batchsize": 4}, ValueError, r"args\.batchsize .*did you mean 'batch_size'"),
        ({"batch_size": 0}, ValueError, r"args\.batch_size is 0; it must be an integer from 1"),
        ({"workers": -1}, ValueError, r"args\.workers is -1; it must be an integer from 0"),
        ({"model": "digits"}, ValueError, r"args\.model is 'digits'; it must be 'squeezenet' or"),
        (
            {"engine": "tensorrt"},
            ValueError,
            r"args\.engine .* 'onnxruntime' or 'torch' or 'torch_compile' or 'ray_data'",
        ),
        ({"data": "/no/such/place"}, ValueError, r"args\.data .* 'jpegs', 'tensors' or the path of a directory"),
        ({"size": [500]}, ValueError, r"args\.size is \[500\]; it must be \[width, height\]"),
        ({"engine": "ray_data"}, InfeasibleError, r"infeasible: args\.workers is 0, but Ray Data"),
        ({"precision": "int4"}, ValueError, r"args\.precision is 'int4'; it must be 'fp32' or"),
        (
            {"precision": "int8", "engine": "torch"},
            InfeasibleError,
            r"infeasible: args\.precision is 'int8' and args\.engine",
        ),
        (
            {"decoder": "turbo", "data": "tensors"},
            InfeasibleError,
            r"infeasible: args\.decoder is 'turbo', but with data",
        ),
        ({"copies": 2}, InfeasibleError, r"infeasible: args\.copies is 2, but only ray_data"),
    ],
    ids=lambda value: str(value)[:30] if isinstance(value, dict) else None,
)
def test_a_mistake_names_key_value_and_cure(args, error, message):
    with pytest.raises(error, match=message):
        PipelineArgs.from_args(args)


@pytest.mark.parametrize(
    ("args", "variant"),
    [
        ({"precision": "int8", "threads": 3}, ("int8", "onnxruntime", 3)),
        ({"engine": "torch_compile", "threads": 1}, ("fp32", "torch_compile", 1)),
        ({"engine": "ray_data", "workers": 1, "precision": "int8", "threads": 1}, ("int8", "onnxruntime", 1)),
    ],
    ids=["int8", "compiled", "on Ray Data it is ONNX Runtime that computes"],
)
def test_how_the_model_is_computed(args, variant):
    found = PipelineArgs.from_args(args).variant
    assert (found.precision, found.engine, found.threads) == variant


def batches(*times):
    """(seconds to load, seconds to decode) of each batch."""
    return [SimpleNamespace(pixels=number, load_s=load, decode_s=decode) for number, (load, decode) in enumerate(times)]


def ticking(*readings):
    left = list(readings)
    return lambda: float(left.pop(0))


def test_the_parts_of_a_run():
    inferred = []
    # began 0; the first batch at 5, inferred by 7; the second at 8, inferred by 11; the third at 11, inferred by 12
    parts = run_over(lambda: batches((1, 2), (1, 3), (2, 4)), inferred.append, ticking(0, 5, 7, 8, 11, 11, 12))
    assert inferred == [0, 1, 2]
    assert parts.told() == {
        "load_ms": 4000.0,
        "decode_ms": 9000.0,
        "first_batch_ms": 5000.0,
        "inference_ms": 6000.0,
        "idle_ms": 1000.0,
    }


def test_starting_the_workers_is_a_part_of_the_first_batchs_delay():
    clock = ticking(0, 3, 4)
    assert run_over(lambda: batches((0, 0)), lambda pixels: None, clock).first_batch_s == 3.0


def test_photos_are_made_once_and_are_the_same_for_everybody(tmp_path, monkeypatch):
    first = photo_files("jpegs", 3, (64, 48), bytes, "-")
    written = [file.stat().st_mtime_ns for file in first]
    assert [file.stat().st_mtime_ns for file in photo_files("jpegs", 3, (64, 48), bytes, "-")] == written
    monkeypatch.setenv("ORCHESTRATOR_MODEL_DIR", str(tmp_path / "elsewhere"))
    again = photo_files("jpegs", 3, (64, 48), bytes, "-")
    assert [file.read_bytes() for file in again] == [file.read_bytes() for file in first]
    with Image.open(first[0]) as photo:
        assert (photo.format, photo.size) == ("JPEG", (64, 48))


def test_what_could_not_be_made_leaves_nothing_behind(tmp_path):
    def decode(body):
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        photo_files("tensors", 2, (64, 48), decode, "8x8")
    kept = sorted(place.name for place in (tmp_path / "kept" / "photos").iterdir() if place.is_dir())
    assert kept == ["photos-64x48-2"]


def test_tensors_are_what_the_photos_decode_to():
    files, tensors = (Source(data, 3, (64, 48), (8, 12)).find() for data in ("jpegs", "tensors"))
    decoded, ready = files.read(1), tensors.read(1)
    assert decoded.pixels.shape == (3, 8, 12)
    assert np.array_equal(decoded.pixels, ready.pixels)
    assert decoded.decode_s > 0
    assert ready.decode_s == 0


def test_with_more_items_than_files_these_are_read_again_in_turn():
    files = Source("jpegs", 2, (64, 48), (8, 12)).find()
    assert np.array_equal(files.read(0).pixels, files.read(2).pixels)
    assert not np.array_equal(files.read(0).pixels, files.read(1).pixels)


def test_photos_of_a_users_own(tmp_path):
    own = tmp_path / "own"
    own.mkdir()
    with pytest.raises(FileNotFoundError, match=r"has no file that ends in \.jpg or \.jpeg"):
        Source(str(own), 2, (64, 48), (8, 12)).find()
    Image.new("RGB", (20, 20), "red").save(own / "red.JPG")
    assert Source(str(own), 2, (64, 48), (8, 12)).find().read(5).pixels.shape == (3, 8, 12)
