"""The order in which the payloads of a mix are sent. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import cycle
from typing import TypeVar

import numpy as np

SHORTEST, LONGEST = 10_000, 1_000_000
"""Requests until a mix begins again: enough to state shares of 0.01 %, and few enough to be held in memory."""

Item = TypeVar("Item")


def mixed(parts: Sequence[Sequence[Item]], weights: Sequence[float], seed: int) -> tuple[Item, ...]:
    """Items of all parts in a random order in which each part has its share of the weights.

    The shares are exact to one in the length of the sequence, which is long enough for every item to occur; the
    items of one part follow each other in turn. ValueError when that takes more than LONGEST.
    """
    shares = np.array(weights, np.float64) / np.sum(weights)
    length = max(SHORTEST, *(math.ceil(len(part) / share) for part, share in zip(parts, shares, strict=True)))
    if length > LONGEST:
        longest = int(np.argmax([len(part) / share for part, share in zip(parts, shares, strict=True)]))
        raise ValueError(
            f"with its weight, it would take {length:,} requests until each of the {len(parts[longest]):,} payloads "
            f"of part {longest} was sent, and at most {LONGEST:,} are planned; give it fewer payloads or more weight"
        )
    order = np.repeat(np.arange(len(parts)), _counts(shares, length))
    np.random.default_rng(seed).shuffle(order)
    turns = [cycle(part) for part in parts]
    return tuple(next(turns[part]) for part in order)


def _counts(shares: np.ndarray, length: int) -> np.ndarray:
    """Whole numbers in proportion to the shares that add up to `length`: the largest remainders are rounded up."""
    exact = shares * length
    counts = np.floor(exact).astype(int)
    counts[np.argsort(counts - exact, kind="stable")[: length - counts.sum()]] += 1
    return counts
