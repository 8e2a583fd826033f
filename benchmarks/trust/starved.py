"""Is a starved machine noticed? Loads while other processes keep every core busy must come out invalid, not slow.

    python benchmarks/trust/starved.py [--runs 40] [--busy-per-core 1] [--quick]

Half of the loads are closed loops of 4 clients on a server that computes, half are open loops on one that only
waits. Asked: at least 95 % of the loads on the busy machine come out invalid with a reason that says so, and, so
that this is worth something, at most 10 % of as many loads on the machine as it was.

About 8 minutes, one load at a time. `--quick` makes 6 loads of each kind.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from running import Load, load, side_by_side, truth_server
from table import at_least, at_most, show

SERVERS = {
    ("cpu", "20000"): {"concurrency": 4},
    ("constant", "5"): {"rate": 200, "arrivals": "poisson"},
}
DURATION_S, WARMUP_S = 5, 1
REASON = re.compile(r"other processes took the machine|the client was starved")
STARVED, AS_IT_WAS = 0.95, 0.10
BURN = "while True: pass"


@contextmanager
def busy_cores(per_core: int) -> Iterator[None]:
    """Other people's work on every core."""
    with ExitStack() as stack:
        for _ in range(per_core * len(os.sched_getaffinity(0))):
            process = stack.enter_context(subprocess.Popen([sys.executable, "-c", BURN]))
            stack.callback(process.kill)
        yield


def run(number: int) -> Load:
    arguments, options = list(SERVERS.items())[number % len(SERVERS)]
    with truth_server(arguments, "--seed", number) as server:
        return load(server.url, **options, duration=DURATION_S, warmup=WARMUP_S, seed=number)


def says_so(seen: Load) -> bool:
    return not seen.valid and bool(REASON.search(seen.reasons))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=40, help="loads on the busy machine, and as many without")
    parser.add_argument("--busy-per-core", type=int, default=1, help="processes that take a core each")
    parser.add_argument("--quick", action="store_true", help="6 loads of each")
    options = parser.parse_args()

    runs = 6 if options.quick else options.runs
    usual = side_by_side(run, range(runs), lanes=1)
    with busy_cores(options.busy_per_core):
        starved = side_by_side(run, range(runs), lanes=1)
    for title, loads in (("as it was", usual), ("busy", starved)):
        for reasons, times in Counter(seen.reasons or "valid" for seen in loads).most_common():
            print(f"{title}: {times} × {reasons}")
    show(
        [
            at_least("busy machine: invalid, and why", sum(map(says_so, starved)), runs, STARVED),
            at_most("machine as it was: invalid for that reason", sum(map(says_so, usual)), runs, AS_IT_WAS),
        ]
    )


if __name__ == "__main__":
    main()
