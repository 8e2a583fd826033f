"""Do other tools measure the same? wrk in the closed loop, MLPerf LoadGen's Server scenario in the open loop.

    python benchmarks/trust/agreement.py [--rounds 6] [--loadgen-python python] [--quick]

One server, tools taking turns (the first one changes from round to round), the median of the rounds compared.
Asked: in the closed loop, throughput and mean latency within 5 % of wrk's, on a server that only waits (5 ms, 16
clients) and on one that computes and is the limit (4 clients); in the open loop, the p99 within 10 % of LoadGen's
at 300 Poisson arrivals a second, exponential answers. The latencies that wrk fills in are taken away from its mean.
LoadGen is driven through `loadgen_client.py`, which adds about half a millisecond to every answer.

About 7 minutes, on processors that are kept awake (awake.py). wrk must be installed (`apt install wrk`), LoadGen is
`pip install mlcommons-loadgen`, here or in another environment whose Python is named; what is missing is said and left
out. `--quick` makes two rounds of 5 s.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import sys
from collections.abc import Callable, Mapping

from awake import processors_awake
from laws import Exponential
from peers import has_loadgen, loadgen, wrk
from running import load, truth_server
from table import Line, show, within

CLOSED = {
    "server that waits": (("constant", "5"), 16),
    "server that computes": (("cpu", "50000"), 4),
}
OPEN_LAW, RATE_RPS = Exponential(1.0, 9.0), 300.0
CLOSED_SHARE, OPEN_SHARE = 0.05, 0.10
WARMUP_S = 2

Figures = Mapping[str, float]
Tool = Callable[[str, int], Figures]
"""(URL, number of the round) -> what it measured."""


def ours_closed(clients: int, duration_s: float) -> Tool:
    def measure(url: str, number: int) -> Figures:
        seen = load(url, concurrency=clients, duration=duration_s, warmup=WARMUP_S)
        return {"throughput": seen["throughput_rps"], "mean latency": seen["latency_mean_ms"]}

    return measure


def wrk_closed(clients: int, duration_s: float) -> Tool:
    def measure(url: str, number: int) -> Figures:
        seen = wrk(url, clients, duration_s)
        return {"throughput": seen.throughput_rps, "mean latency": seen.mean_ms}

    return measure


def ours_open(duration_s: float) -> Tool:
    def measure(url: str, number: int) -> Figures:
        options = {"rate": RATE_RPS, "arrivals": "poisson", "duration": duration_s, "warmup": WARMUP_S}
        return {"p99": load(url, seed=number, **options)["latency_p99_ms"]}

    return measure


def loadgen_open(python: str, duration_s: float) -> Tool:
    return lambda url, number: {"p99": loadgen(python, url, RATE_RPS, duration_s, number)["latency_p99_ms"]}


def take_turns(arguments: tuple[str, ...], tools: Mapping[str, Tool], rounds: int) -> dict[str, Figures]:
    """Tool -> the median over the rounds of each of its figures, all on one server."""
    seen: dict[str, list[Figures]] = {name: [] for name in tools}
    with processors_awake(), truth_server(arguments) as server:
        for number in range(rounds):
            for name in list(tools)[:: 1 if number % 2 else -1]:
                seen[name].append(tools[name](server.url, number))
                print(f"{' '.join(arguments)}, round {number}: {name} {dict(seen[name][-1])}", file=sys.stderr)
    return {
        name: {figure: statistics.median(one[figure] for one in reports) for figure in reports[0]}
        for name, reports in seen.items()
    }


def compare(subject: str, medians: Mapping[str, Figures], peer: str, share: float) -> list[Line]:
    units = {"throughput": "req/s"}
    return [
        within(
            f"{subject}: {figure}, {peer}'s and ours",
            theirs,
            medians["ours"][figure],
            share,
            0,
            units.get(figure, "ms"),
        )
        for figure, theirs in medians[peer].items()
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--loadgen-python", default=sys.executable, help="a Python that has mlcommons-loadgen")
    parser.add_argument("--quick", action="store_true", help="two rounds of 5 s")
    options = parser.parse_args()

    rounds, duration_s = (2, 5) if options.quick else (options.rounds, 10)
    lines = []
    if shutil.which("wrk"):
        for subject, (arguments, clients) in CLOSED.items():
            tools = {"ours": ours_closed(clients, duration_s), "wrk": wrk_closed(clients, duration_s)}
            lines += compare(subject, take_turns(arguments, tools, rounds), "wrk", CLOSED_SHARE)
    else:
        print("wrk is not installed: the closed loop is not compared")
    if has_loadgen(options.loadgen_python):
        open_s = 2 * duration_s  # a p99 needs more requests than a mean
        tools = {"ours": ours_open(open_s), "LoadGen": loadgen_open(options.loadgen_python, open_s)}
        lines += compare("open loop", take_turns(OPEN_LAW.arguments, tools, rounds), "LoadGen", OPEN_SHARE)
    else:
        print("mlcommons-loadgen is not installed: the open loop is not compared")
    show(lines)


if __name__ == "__main__":
    main()
