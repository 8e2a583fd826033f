"""Is a stall seen? A server that answers within 5 ms stands still for one second of a 20 s open-loop load.

    python benchmarks/trust/stall.py [--runs 6] [--together 3] [--quick]

Constant arrivals, 200 a second: one request in twenty meets the stall, so the p99 is most of its length, and is
known exactly from the schedule. Asked: the measured p99 is within 5 % of it in every run. Beside it stands what
others would have said: the same load counted from when requests were sent, which 20 connections held back while the
server stood still (coordinated omission), and a closed loop of 4 clients on the same server, which simply stops
asking, by this project's client and by wrk. That one, since 4.0, fills in what it guesses to have been omitted.

About 2 minutes. `--quick` makes one run.
"""

from __future__ import annotations

import argparse
import shutil
import statistics

import numpy as np
from laws import Constant, through_a_freeze_s
from peers import WrkReport, wrk
from running import Load, load, side_by_side, truth_server
from table import Line, show, shown

LAW, RATE_RPS, FREEZE_S = Constant(5.0), 200, 1.0
WARMUP_S, DURATION_S, FREEZE_AT_S = 2, 20, 12
CONNECTIONS = 20  # as a client with a pool has them; many enough to catch up quickly after the stall
CLIENTS = 4
SHARE = 0.05
FREEZE = ("--freeze-at", FREEZE_AT_S, "--freeze-for", FREEZE_S)


def exact_p99_ms(requests: int) -> float:
    """The p99 of a window of so many requests in which the stall lies as a whole."""
    scheduled_s = np.arange(requests) / RATE_RPS
    seen_s = through_a_freeze_s(scheduled_s, LAW.delay_ms / 1e3, scheduled_s[requests // 2], FREEZE_S)
    return float(np.percentile(seen_s, 99)) * 1e3


def open_loop(number: int) -> Load:
    with truth_server(LAW.arguments, *FREEZE) as server:
        options = {"arrivals": "constant", "connections": CONNECTIONS, "duration": DURATION_S, "warmup": WARMUP_S}
        return load(server.url, rate=RATE_RPS, seed=number, **options)


def closed_loop_p99_ms() -> float:
    with truth_server(LAW.arguments, *FREEZE) as server:
        return load(server.url, concurrency=CLIENTS, duration=DURATION_S, warmup=WARMUP_S)["latency_p99_ms"]


def wrk_report() -> WrkReport:
    with truth_server(LAW.arguments, *FREEZE) as server:
        return wrk(server.url, CLIENTS, DURATION_S)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=6)
    parser.add_argument("--together", type=int, default=3, help="loads at a time")
    parser.add_argument("--quick", action="store_true", help="one run")
    options = parser.parse_args()

    runs = 1 if options.quick else options.runs
    loads = side_by_side(open_loop, range(runs), options.together)
    lines = []
    for number, seen in enumerate(loads):
        exact, p99 = exact_p99_ms(round(seen["requests"])), seen["latency_p99_ms"]
        off = p99 / exact - 1
        subject = f"p99 of run {number}, {seen['requests']:.0f} requests"
        lines.append(Line(subject, f"{exact:.0f} ms ± {SHARE:.0%}", f"{p99:.0f} ({off:+.1%})", abs(off) <= SHARE))
    uncorrected = statistics.median(seen["uncorrected_p99_ms"] for seen in loads)
    lines.append(shown("the same, counted from when requests were sent", f"{uncorrected:.0f}"))
    lines.append(shown(f"a closed loop of {CLIENTS} clients", f"{closed_loop_p99_ms():.0f}"))
    if shutil.which("wrk"):
        theirs = wrk_report()
        lines.append(shown(f"wrk with {CLIENTS} connections, what it measured", f"{theirs.p99_ms:.0f}"))
        lines.append(shown("what it prints, with what it fills in", f"{theirs.filled_in_p99_ms:.0f}"))
    show(lines)


if __name__ == "__main__":
    main()
