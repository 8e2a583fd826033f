"""Is the same called the same, and a tenth slower called slower?

    python benchmarks/trust/same_or_different.py [--pairs 50] [--lanes 4] [--quick]

A/A: one configuration is measured as if it were two. A/B: the second server takes 10 % longer for everything. Two
series of pairs each: a closed loop of 8 clients with exponential answers, judged by throughput, and an open loop on
one worker (M/D/1 at a utilisation of 0.7), judged by the mean latency, whose requests are strongly correlated. The
two loads of a pair run one after the other, which of them first in turn, each at most 15 s, with the same arrivals, as
the trials of a study have, and servers with seeds of their own. "Different" is said as `orchestrator.measure.compare`
says it: when the 95 % interval of the ratio, made from the two intervals, does not hold 1. Asked of the 50 pairs of a
series: A/A different in at most 5 %, A/B found slower in at least 90 %. A load that is not valid is repeated once, as
in a study; a pair with one that is not valid then is left out.

About 45 minutes: 400 loads, four at a time, on processors that are kept awake (awake.py). `--quick` makes 6 pairs.
"""

from __future__ import annotations

import argparse
from itertools import product
from typing import NamedTuple

from awake import processors_awake
from laws import Exponential, Law, OneWorker
from running import load_as_trial, side_by_side, truth_server
from table import at_least, at_most, show

from orchestrator.measure.compare import Comparison, compare
from orchestrator.measure.interval import Interval

MAX_S, WARMUP_S = 15, 2
SLOWDOWN = 1.10
WORKER = OneWorker(2.0, 0.7)
MOST_CALLED_DIFFERENT, LEAST_FOUND_SLOWER = 0.05, 0.90


class Series(NamedTuple):
    """A server, a load, the figure that the two are compared by, and in which direction it moves when slower."""

    law: Law
    load: dict[str, object]
    figure: str
    slower: int


SERIES = {
    "closed loop, throughput": Series(Exponential(2.0, 8.0), {"concurrency": 8}, "throughput_rps", -1),
    "open loop, mean latency": Series(WORKER, {"rate": WORKER.rate_rps, "arrivals": "poisson"}, "latency_mean_ms", +1),
}


class Pair(NamedTuple):
    """One comparison to make."""

    series: str
    slowdown: float
    number: int


def measure(pair: Pair) -> tuple[Pair, Comparison, list[str]]:
    """The second figure over the first, and what made a load invalid, if anything did."""
    series = SERIES[pair.series]
    seen = {}
    for which in (0, 1) if pair.number % 2 else (1, 0):
        slowdown = pair.slowdown if which else 1.0
        server_seed = 5000 + 2 * pair.number + which
        with truth_server(series.law.arguments, "--seed", server_seed, "--slowdown", slowdown) as server:
            seen[which] = load_as_trial(server.url, **series.load, duration=MAX_S, warmup=WARMUP_S, seed=pair.number)
    first, second = (seen[which].figure(series.figure) for which in (0, 1))
    found = compare(first.value, Interval(first.lo, first.hi), second.value, Interval(second.lo, second.hi))
    return pair, found, [document.reasons for document in seen.values() if not document.valid]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=50)
    parser.add_argument("--lanes", type=int, default=4, help="pairs at a time")
    parser.add_argument("--quick", action="store_true", help="6 pairs of each kind")
    options = parser.parse_args()

    pairs = 6 if options.quick else options.pairs
    # A series at a time: beside closed loops, which take all of the processor that they can, open loops would be late.
    tasks = [Pair(series, slow, number) for series, number, slow in product(SERIES, range(pairs), (1.0, SLOWDOWN))]
    with processors_awake():
        found = side_by_side(measure, tasks, options.lanes)
    lines = []
    for name, series in SERIES.items():
        judged = [(pair, seen) for pair, seen, invalid in found if pair.series == name and not invalid]
        same = [seen for pair, seen in judged if pair.slowdown == 1.0]
        other = [seen for pair, seen in judged if pair.slowdown != 1.0]
        different = sum(seen.differ for seen in same)
        slower = sum(seen.differ and (seen.ratio > 1) is (series.slower > 0) for seen in other)
        lines.append(at_most(f"{name}: A/A called different", different, len(same), MOST_CALLED_DIFFERENT))
        lines.append(at_least(f"{name}: A/B found slower", slower, len(other), LEAST_FOUND_SLOWER))
    left_out = [reasons for _, _, invalid in found for reasons in invalid]
    print(f"loads that were not valid, whose pairs are left out: {len(left_out)} of {2 * len(found)}")
    print("\n".join(sorted(set(left_out))))
    show(lines)


if __name__ == "__main__":
    main()
