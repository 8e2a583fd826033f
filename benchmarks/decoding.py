"""What a JPEG costs to decode for a network, by each library that `args.decoder` knows.

    python -m benchmarks.decoding

Photos of 500×375 and of 2000×1500 become [3, 224, 224]; the libraries take turns, and the median of the rounds counts.
"""

from __future__ import annotations

import io
import statistics
import time

import numpy as np
from PIL import Image

from serve_apps.decoding import DECODERS
from serve_apps.payloads import JPEG_SIZE, jpegs

ROUNDS, PHOTOS = 15, 16
SIDE, LARGER = 224, 4


def main() -> None:
    photos = [payload["body"] for payload in jpegs(seed=0)][:PHOTOS]
    print("| photo | " + " | ".join(f"{name}, ms" for name in DECODERS) + " |")
    print("| --- |" + " --- |" * len(DECODERS))
    for times_larger in (1, LARGER):
        sized = [larger(photo, times_larger) for photo in photos]
        taken = {name: [] for name in DECODERS}
        for _ in range(ROUNDS):
            for name, decode in DECODERS.items():
                started = time.process_time()
                for photo in sized:
                    decode(photo, SIDE, SIDE)
                taken[name].append((time.process_time() - started) * 1e3 / len(sized))
        cells = [f"{statistics.median(each):.2f}" for each in taken.values()]
        width, height = (side * times_larger for side in JPEG_SIZE)
        print(f"| {width} × {height} | {' | '.join(cells)} |")


def larger(photo: bytes, times: int) -> bytes:
    """The same photo, so many times as wide and as high, with the grain that large ones have."""
    if times == 1:
        return photo
    picture = Image.open(io.BytesIO(photo))
    pixels = np.asarray(picture.resize([times * side for side in picture.size], Image.Resampling.BICUBIC), float)
    grained = np.clip(pixels + np.random.default_rng(0).normal(0, 6, pixels.shape), 0, 255).astype(np.uint8)
    written = io.BytesIO()
    Image.fromarray(grained).save(written, "JPEG", quality=90)
    return written.getvalue()


if __name__ == "__main__":
    main()
