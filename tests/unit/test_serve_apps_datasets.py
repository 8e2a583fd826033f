"""Data sets in their true formats, small."""

import gzip
import pickle
import struct

import numpy as np
import pytest
from scipy.io import savemat

from serve_apps.datasets.cifar import read_cifar
from serve_apps.datasets.idx import read_idx
from serve_apps.datasets.images import DATA_SETS, load_pictures, made_up

RNG = np.random.default_rng(0)
GREY = RNG.integers(0, 256, (5, 28, 28), dtype=np.uint8)
COLOUR = RNG.integers(0, 256, (6, 3, 32, 32), dtype=np.uint8)


def idx(array, kind=0x08):
    return struct.pack(f">HBB{array.ndim}I", 0, kind, array.ndim, *array.shape) + array.astype(">u1").tobytes()


def fashion_mnist(directory, packed):
    for name, array in (("images-idx3", GREY), ("labels-idx1", np.arange(5))):
        file = directory / f"t10k-{name}-ubyte{'.gz' if packed else ''}"
        file.write_bytes(gzip.compress(idx(array)) if packed else idx(array))


def svhn(directory):
    savemat(
        directory / "test_32x32.mat",
        {"X": COLOUR.transpose(2, 3, 1, 0), "y": np.array([[1], [2], [10], [4], [5], [10]])},
    )


def cifar_pickled(directory):
    batch = {b"data": COLOUR.reshape(6, -1), b"labels": [1, 2, 0, 4, 5, 0], b"batch_label": b"testing batch 1 of 1"}
    (directory / "test_batch").write_bytes(pickle.dumps(batch, protocol=2))


def cifar_binary(directory):
    rows = np.column_stack([np.array([1, 2, 0, 4, 5, 0], np.uint8), COLOUR.reshape(6, -1)])
    (directory / "test_batch.bin").write_bytes(rows.tobytes())


WRITERS = {
    "fashion-mnist": lambda directory: fashion_mnist(directory, packed=False),
    "fashion-mnist, packed": lambda directory: fashion_mnist(directory, packed=True),
    "svhn": svhn,
    "cifar-10": cifar_pickled,
    "cifar-10, binary": cifar_binary,
}


@pytest.mark.parametrize("folder", [".", "inside"])
@pytest.mark.parametrize("written", WRITERS)
def test_the_standard_files_are_read(written, folder, tmp_path):
    name = written.split(",")[0]
    (tmp_path / folder).mkdir(exist_ok=True)
    WRITERS[written](tmp_path / folder)
    pictures, labels = load_pictures(name, tmp_path)
    if name == "fashion-mnist":
        assert (pictures == GREY[:, np.newaxis]).all()
        assert labels.tolist() == [0, 1, 2, 3, 4]
    else:
        assert (pictures == COLOUR).all()
        assert labels.tolist() == [1, 2, 0, 4, 5, 0]
    assert (pictures.dtype, labels.dtype) == (np.uint8, np.int64)


@pytest.mark.parametrize("name", DATA_SETS)
def test_a_directory_without_the_files_says_which_are_missing(name, tmp_path):
    with pytest.raises(FileNotFoundError, match=DATA_SETS[name].choices[0][0]):
        load_pictures(name, tmp_path)


@pytest.mark.parametrize("name", DATA_SETS)
def test_made_up_pictures_have_the_shape_of_the_data_set(name):
    pictures, labels = made_up(name, 7, seed=3)
    assert pictures.shape == (7, *DATA_SETS[name].shape)
    assert pictures.dtype == np.uint8
    assert 0 <= labels.min() <= labels.max() < 10
    assert pictures.std() > 20
    again, _ = made_up(name, 7, seed=3)
    assert (again == pictures).all()
    assert (made_up(name, 7, seed=4)[0] != pictures).any()


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"", "begins with nothing"),
        (b"\x89PNG....", "89 50 4e 47"),
        (idx(GREY)[:-1], "is damaged: 3,936 bytes are announced, and it has 3,935"),
        (idx(GREY)[:9], "is damaged"),
        (idx(GREY, kind=0x07), "not an IDX file"),
    ],
)
def test_what_is_not_idx_is_named(raw, words, tmp_path):
    (tmp_path / "x").write_bytes(raw)
    with pytest.raises(ValueError, match=words):
        read_idx(tmp_path / "x")


def test_idx_has_other_types_too(tmp_path):
    (tmp_path / "x").write_bytes(struct.pack(">HBBI2h", 0, 0x0B, 1, 2, -3, 1000))
    assert read_idx(tmp_path / "x").tolist() == [-3, 1000]


class Shell:
    def __reduce__(self):
        return print, ("this must not run",)


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (pickle.dumps({b"data": Shell(), b"labels": []}), "it names"),
        (pickle.dumps({b"labels": [1]}), "data"),
        (pickle.dumps({b"data": np.zeros((2, 9), np.uint8), b"labels": [1, 2]}), r"the shape \(2, 9\)"),
        (pickle.dumps([1, 2]), "not a CIFAR-10 batch"),
        (b"", "not a CIFAR-10 batch"),
        (b"text", "not a CIFAR-10 batch"),
    ],
)
def test_a_pickle_that_is_no_batch_is_refused_and_not_run(raw, words, tmp_path, capsys):
    (tmp_path / "test_batch").write_bytes(raw)
    with pytest.raises(ValueError, match=words):
        read_cifar(tmp_path / "test_batch")
    assert capsys.readouterr().out == ""


def test_a_binary_batch_of_another_size_is_refused(tmp_path):
    (tmp_path / "b.bin").write_bytes(bytes(3074))
    with pytest.raises(ValueError, match=r"3,074 bytes, which is no multiple of 3,073"):
        read_cifar(tmp_path / "b.bin")


def test_a_mat_file_of_something_else_is_named(tmp_path):
    savemat(tmp_path / "test_32x32.mat", {"X": np.zeros((2, 2))})
    with pytest.raises(ValueError, match=r"test_32x32\.mat does not hold"):
        load_pictures("svhn", tmp_path)
    (tmp_path / "test_32x32.mat").write_bytes(b"no mat file at all")
    with pytest.raises(ValueError, match=r"test_32x32\.mat does not hold"):
        load_pictures("svhn", tmp_path)
