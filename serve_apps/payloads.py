"""Requests to measure the bundled models with.

A payload function is named in an experiment as `workload: {payloads: "module:function"}`. It is called with
the keyword `seed` (int), the same seed gives the same requests, and it returns a non-empty list of
`{"path": str, "body": bytes, "headers": {str: str}, "method": str}` (`method` is optional: POST). With parameters of
these names it is told `items_per_request` (int), how many items each request has to hold, and `data` (Path or None),
the directory or file in `workload: {data: ...}` that has a data set; without it, items are made up; and `encoding`
("binary" or "json"), how tensors are to be written.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from serve_apps.datasets.folder import read_jpegs
from serve_apps.datasets.images import load_pictures, made_up
from serve_apps.datasets.photos import made_up_jpeg
from serve_apps.datasets.text import made_up_lines, read_lines
from serve_apps.encoding import MOST_WORDS, VECTOR
from serve_apps.nets import images
from serve_apps.nets.store import ENCODERS, TRANSLATOR
from serve_apps.pictures import pgm
from serve_apps.vocabulary import LONGEST, TEXT, TRANSLATION

COUNT = 64  # different requests, sent in turn
JPEG_SIZE = (500, 375)
MOST_MADE_UP = 4096  # pictures; larger requests hold some of them several times


def digits(seed: int) -> list[dict[str, Any]]:
    """One real handwritten digit per request (about 3 KB), binary both ways, for `args: {model: digits}`."""
    pixels, _ = images.load()
    chosen = np.random.default_rng(seed).choice(len(pixels), COUNT, replace=False)
    return [_infer("digits", "image", pixels[index : index + 1]) for index in chosen]


def photos(seed: int) -> list[dict[str, Any]]:
    """One real handwritten digit per request on a grey photo (about 12 KB), for `serve_apps.photos:build`."""
    pixels, _ = images.load()
    rng = np.random.default_rng(seed)
    chosen = rng.choice(len(pixels), COUNT, replace=False)
    return [
        {"path": "/", "method": "POST", "headers": {"Content-Type": "image/x-portable-graymap"}, "body": pgm(photo)}
        for photo in (_photo(pixels[index, 0], rng) for index in chosen)
    ]


def clothing(
    seed: int, items_per_request: int = 1, data: Path | None = None, encoding: str = "binary"
) -> list[dict[str, Any]]:
    """Pictures of Fashion-MNIST, or of its size, for `args: {model: clothing}`."""
    pictures = _pictures("fashion-mnist", seed, items_per_request, data)
    return [_infer("clothing", "image", part / np.float32(255), encoding) for part in pictures]


def svhn(
    seed: int, items_per_request: int = 1, data: Path | None = None, encoding: str = "binary"
) -> list[dict[str, Any]]:
    """House numbers of SVHN, or pictures of their size, for `args: {model: svhn}`."""
    pictures = _pictures("svhn", seed, items_per_request, data)
    return [_infer("svhn", "image", part / np.float32(127.5) - np.float32(1), encoding) for part in pictures]


def cifar(
    seed: int, items_per_request: int = 1, data: Path | None = None, encoding: str = "binary"
) -> list[dict[str, Any]]:
    """Pictures of CIFAR-10, or of their size, for `args: {model: resnet_cifar}`."""
    pictures = _pictures("cifar-10", seed, items_per_request, data)
    return [_infer("resnet_cifar", "image", part / np.float32(127.5) - np.float32(1), encoding) for part in pictures]


def sentences(seed: int, items_per_request: int = 1, data: Path | None = None) -> list[dict[str, Any]]:
    """Lines of a text file, or sentences made up by a grammar, as JSON, for `serve_apps.translator:build`."""
    lines = _lines(seed, items_per_request, data, LONGEST)
    return [_texts(TRANSLATOR, TEXT, some, TRANSLATION) for some in lines]


def texts(
    seed: int, items_per_request: int = 1, data: Path | None = None, model: str = ENCODERS[1]
) -> list[dict[str, Any]]:
    """The same for `serve_apps.encoder:build` and one of its models."""
    return [_texts(model, TEXT, some, VECTOR) for some in _lines(seed, items_per_request, data, MOST_WORDS)]


def jpegs(seed: int, data: Path | None = None) -> list[dict[str, Any]]:
    """One photo per request as a JPEG, for `serve_apps.jpegs:build`.

    Of the files *.jpg and *.jpeg below the directory `data`, or made up, with grain: 500×375, about 40 KB.
    """
    rng = np.random.default_rng(seed)
    photos = [made_up_jpeg(rng, JPEG_SIZE) for _ in range(COUNT)] if data is None else read_jpegs(data, COUNT, rng)
    return [
        {"path": "/", "method": "POST", "headers": {"Content-Type": "image/jpeg"}, "body": photo} for photo in photos
    ]


def _lines(seed: int, items: int, data: Path | None, longest: int) -> list[list[str]]:
    """COUNT times so many lines; where there are less, some of them come several times."""
    wanted, rng = COUNT * items, np.random.default_rng(seed)
    lines = made_up_lines(wanted, seed) if data is None else read_lines(data, longest)
    chosen = rng.permutation(np.resize(rng.permutation(len(lines)), wanted)).reshape(COUNT, items)
    return [[lines[place] for place in places] for places in chosen.tolist()]


def _pictures(name: str, seed: int, items: int, data: Path | None) -> list[np.ndarray]:
    """COUNT times so many pictures: float32 [items, channels, height, width], 0 to 255."""
    wanted, rng = COUNT * items, np.random.default_rng(seed)
    if data is None:
        pictures, _ = made_up(name, min(wanted, MOST_MADE_UP), seed)
    else:
        pictures, _ = load_pictures(name, data)
    chosen = rng.permutation(np.resize(np.arange(len(pictures)), wanted))
    return list(pictures[chosen].astype(np.float32).reshape(COUNT, items, *pictures.shape[1:]))


def _photo(digit: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The digit, two to three times as large, somewhere on pale paper with some grain: uint8 [96, 128]."""
    ink = np.kron(digit, np.ones((rng.integers(2, 4),) * 2))
    photo = 200 + rng.normal(0, 6, (96, 128))
    top, left = (int(rng.integers(0, room - len(ink) + 1)) for room in photo.shape)
    photo[top : top + len(ink), left : left + len(ink)] -= 150 * ink
    return np.clip(photo, 0, 255).astype(np.uint8)


def _texts(model: str, name: str, texts: list[str], output: str) -> dict[str, Any]:
    """An infer request with one BYTES tensor as JSON, for one output."""
    entry = {"name": name, "datatype": "BYTES", "shape": [len(texts)], "data": texts}
    body = json.dumps({"inputs": [entry], "outputs": [{"name": output}]}).encode()
    return _post(model, body, {"Content-Type": "application/json"})


def _infer(model: str, name: str, tensor: np.ndarray, encoding: str = "binary") -> dict[str, Any]:
    """An infer request with one FP32 tensor, answered in its own encoding: binary tensor data, or JSON."""
    entry: dict[str, Any] = {"name": name, "datatype": "FP32", "shape": tensor.shape}
    if encoding == "json":
        entry["data"] = tensor.ravel().tolist()
        return _post(model, json.dumps({"inputs": [entry]}).encode(), {"Content-Type": "application/json"})
    raw = tensor.tobytes()
    entry["parameters"] = {"binary_data_size": len(raw)}
    header = json.dumps({"inputs": [entry], "parameters": {"binary_data_output": True}}).encode()
    headers = {"Content-Type": "application/octet-stream", "Inference-Header-Content-Length": str(len(header))}
    return _post(model, header + raw, headers)


def _post(model: str, body: bytes, headers: dict[str, str]) -> dict[str, Any]:
    return {"path": f"/v2/models/{model}/infer", "method": "POST", "headers": headers, "body": body}
