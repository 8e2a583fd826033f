"""How sure a confirmation is: simulated studies of three candidates and a baseline, by replications and by chance.

Prints how wide the gain's interval is, which difference between two candidates is found in 90 % of studies, and how
often the stated confidences hold. It needs no cluster and takes about a minute.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np

from orchestrator.confirmation.conclusion import ALIKE, ALIKE_CONFIDENCE, GAIN_CONFIDENCE
from orchestrator.measure.blocks import Blocks, each_of

REPLICATIONS = (3, 5, 8, 12)
CHANCE = (0.01, 0.02, 0.03, 0.05)  # standard deviation of a figure between replications, as a share of it
OF_A_BLOCK = 0.05  # what all figures of a block have in common: it drops out
CONTENDERS = 3


def main() -> None:
    print(f"{'replications':<44}{''.join(f'{count:>8}' for count in REPLICATIONS)}")
    for chance in CHANCE:
        row(f"half of the gain's interval, chance {chance:.0%}", lambda r, c=chance: half_width(c, r))
    for chance in CHANCE:
        row(f"difference found in 90 %, chance {chance:.0%}", lambda r, c=chance: difference_found(c, r))
    row("gain's interval holds", lambda r: coverage(0.03, r))
    row("… the baseline varies twice as much", lambda r: coverage([0.03, 0.03, 0.03, 0.06], r))
    row("left out though as good as the best", lambda r: told([1, 1, 1, 0], 0.03, r, 4000))
    row("left out though worse by 2 % only", lambda r: told([1, 1 - math.log(1.02), 1, 0], 0.03, r, 4000))


def row(name, figure) -> None:
    print(f"{name:<44}{''.join(f'{figure(count):>8.1%}' for count in REPLICATIONS)}", flush=True)


def studies(levels: Sequence[float], chance, replications: int, count: int) -> Iterator[Blocks]:
    """`levels`: logarithms of the true figures, the baseline's last; `chance`: one number for all, or one for each."""
    rng = np.random.default_rng(7)
    size = (len(levels), replications)
    for _ in range(count):
        noise = rng.normal(size=size) * np.broadcast_to(chance, len(levels))[:, None]
        block = rng.normal(0, OF_A_BLOCK, (1, replications))
        yield Blocks.fit(np.exp(np.array(levels)[:, None] + block + noise))


def gain(blocks: Blocks):
    best = int(np.argmax(blocks.levels[:CONTENDERS]))
    return blocks.ratio(best, CONTENDERS, each_of(CONTENDERS, GAIN_CONFIDENCE))


def half_width(chance: float, replications: int) -> float:
    """The median over studies, as a share of the gain."""
    found = [gain(blocks) for blocks in studies([1, 1, 1, 0], chance, replications, 1000)]
    return float(np.median([one.interval.hi / one.ratio - 1 for one in found]))


def coverage(chance, replications: int) -> float:
    """Of the gain of the best by its figures, three candidates being equal."""
    found = [gain(blocks).interval for blocks in studies([1, 1, 1, 0], chance, replications, 4000)]
    return sum(one.lo <= math.e <= one.hi for one in found) / len(found)


def told(levels: Sequence[float], chance: float, replications: int, count: int) -> float:
    """Share of studies in which the second candidate is told from the best."""
    one_sided = 2 * each_of(CONTENDERS, ALIKE_CONFIDENCE) - 1
    wrong = 0
    for blocks in studies(levels, chance, replications, count):
        best = int(np.argmax(blocks.levels))
        wrong += best != 1 and blocks.ratio(best, 1, one_sided).interval.lo > 1 + ALIKE
    return wrong / count


def difference_found(chance: float, replications: int) -> float:
    """How much worse a candidate is that 90 % of studies tell from the best, by bisection."""
    low, high = math.log(1 + ALIKE), 0.6
    for _ in range(9):
        middle = (low + high) / 2
        if told([1, 1 - middle, 0.2, 0], chance, replications, 400) >= 0.9:
            high = middle
        else:
            low = middle
    return 1 - math.exp(-high)


if __name__ == "__main__":
    main()
