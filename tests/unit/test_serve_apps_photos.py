"""Photos of digits: read, cut to their ink, scaled; and the composition that does it, called without a cluster."""

import asyncio
import json
from types import SimpleNamespace

import numpy as np
import pytest

from serve_apps.nets import images
from serve_apps.payloads import photos
from serve_apps.photos import INPUT, Reader, build
from serve_apps.pictures import SIDE, ink, parse_pgm, pgm, scaled
from serve_apps.tensors import RequestError
from serve_apps.timing import Timing


@pytest.mark.parametrize("shape", [(1, 1), (3, 5), (96, 128)])
def test_a_picture_is_read_back_as_it_was_written(shape):
    pixels = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    assert np.array_equal(parse_pgm(pgm(pixels)), pixels)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "expected a binary PGM picture"),
        (b"P2 1 1 255\n0", "expected a binary PGM picture"),
        (b"P5 2 2 65535\n00000000", "8 bits a pixel"),
        (b"P5 0 2 255\n", "both sides must be from 1 to 4096"),
        (b"P5 99999 2 255\n", "99999 × 2"),
        (b"P5 2 2 255\n000", "has 4 pixels, found 3"),
    ],
)
def test_what_is_no_such_picture_is_refused_with_what_is_expected(body, message):
    with pytest.raises(RequestError, match=message):
        parse_pgm(body)


def test_ink_is_cut_out_of_its_paper():
    photo = np.full((20, 30), 200, np.uint8)
    photo[5:9, 10:12] = 50
    cut = ink(photo)
    assert cut.shape == (4, 2)
    assert cut == pytest.approx(1.0)


@pytest.mark.parametrize("paper", [0, 200, 255])
def test_an_empty_page_has_no_ink(paper):
    assert not ink(np.full((4, 4), paper, np.uint8)).any()


@pytest.mark.parametrize("shape", [(56, 56), (7, 7), (100, 30), (1, 1), (3, 4000)])
def test_a_picture_is_scaled_to_the_models_size_in_the_middle_and_keeps_its_darkness(shape):
    image = scaled(np.full(shape, 0.5, np.float32))
    assert image.shape == (SIDE, SIDE)
    inside = image[image > 0]
    assert inside == pytest.approx(0.5, abs=1e-6)
    rows = np.flatnonzero(image.any(axis=1))
    assert abs(rows[0] - (SIDE - 1 - rows[-1])) <= 1, "as much room above as below"


def test_payloads_are_photos_of_real_digits_that_the_seed_decides():
    bodies = [payload["body"] for payload in photos(seed=1)]
    assert len(set(bodies)) == 64
    assert {parse_pgm(body).shape for body in bodies} == {(96, 128)}
    assert photos(seed=1) == photos(seed=1) != photos(seed=2)


def test_what_comes_out_of_a_photo_is_like_the_image_it_was_made_of():
    pixels, _ = images.load()
    chosen = np.random.default_rng(1).choice(len(pixels), 64, replace=False)
    made = np.array([scaled(ink(parse_pgm(payload["body"]))) for payload in photos(seed=1)])
    alike = [np.corrcoef(one.ravel(), pixels[index, 0].ravel())[0, 1] for one, index in zip(made, chosen, strict=False)]
    assert np.median(alike) > 0.7


class Handle:
    """Stands for the classifier: finds the digit whose logit is highest, and says how long it took."""

    def __init__(self):
        self.seen = []
        self.infer = SimpleNamespace(remote=self._infer)

    async def _infer(self, inputs):
        self.seen.append(inputs)
        return [np.array([[0, 0, 9, 1]], np.float32)], Timing(0.002, 0.001, 0.0, 4)


def ask(body):
    async def session():
        handle = Handle()

        async def read():
            return body

        reader = Reader.func_or_class(handle)
        return await reader(SimpleNamespace(body=read)), handle.seen

    return asyncio.run(session())


def test_the_reader_asks_the_classifier_with_an_image_of_its_size_and_answers_the_digit():
    answer, seen = ask(photos(seed=0)[0]["body"])
    assert answer.status_code == 200
    assert json.loads(answer.body) == {"digit": 2}
    assert seen[0][INPUT].shape == (1, 1, SIDE, SIDE)
    assert seen[0][INPUT].dtype == np.float32
    timing = dict(answer.raw_headers)[b"server-timing"].decode()
    assert "batch;dur=1.000, compute;dur=0.000, batch-size;desc=4" in timing


def test_a_body_that_is_no_photo_is_refused_before_the_classifier_is_asked():
    answer, seen = ask(b"not a picture")
    assert answer.status_code == 400
    assert "PGM" in json.loads(answer.body)["error"]
    assert not seen


def test_the_composition_takes_the_args_of_a_variant_only():
    with pytest.raises(ValueError, match=r"args\.model is 'digits', but there is no such key"):
        build({"model": "digits"})
    assert build({}) is not None
    assert build({"precision": "int8", "threads": 2}) is not None
