"""How many requests does a verdict take? Sequential stopping against windows of a fixed length, on the same
requests.

    python benchmarks/trust/deciding.py [--lanes 3] [--recordings DIR] [--quick]

24 configurations, as a search meets them: far better and far worse than the SLO of p99 ≤ 50 ms, and some near it.
Twelve are a closed loop of 8 clients on a server with exponential times, compared by throughput; twelve an open
loop on one worker (Poisson arrivals), of which three are asked for more than they can do, compared by mean latency.
Each is loaded once for 15 s and all its requests are kept. The fixed rule takes them all; the sequential one is
shown, four times a second, what had ended by then, and stops when it has enough. Asked: over all configurations it
takes at most a third of the requests, and every configuration that the fixed window decides gets the same verdict.

About 3 minutes, on processors that are kept awake (awake.py). `--recordings` keeps the requests of every load there,
and takes them from there the next time. `--quick` takes every fourth configuration.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import fields
from pathlib import Path
from typing import NamedTuple

import numpy as np
from awake import processors_awake
from running import truth_server
from table import Line, at_least, show

from orchestrator.load import arrivals
from orchestrator.load.conductor import ASK_EVERY_S, Limits, conduct
from orchestrator.load.endpoint import Endpoint, Payload, encode
from orchestrator.load.generator import Generator
from orchestrator.load.plan import ClosedLoop, OpenLoop, Traffic
from orchestrator.measure.samples import Samples, Window
from orchestrator.measure.steady import Steady
from orchestrator.measure.stopping import Sequential
from orchestrator.measure.verdict import Verdict, overall, verdicts
from orchestrator.measure.windows import in_window

LIMITS = {"latency_p99_ms": 50.0}
PRECISION, MIN_S, MAX_S, WARMUP_S, TIMEOUT_S = 0.05, 2.0, 15.0, 1.0, 10.0
CLIENTS, RATE_RPS = 8, 200.0
MOST_REQUESTS = 1 / 3


class Configuration(NamedTuple):
    """A server and the load on it."""

    law: tuple[str, ...]
    open_loop: bool
    seed: int

    @property
    def name(self) -> str:
        return f"{'open' if self.open_loop else 'closed'} {' '.join(self.law)}"

    @property
    def traffic(self) -> Traffic:
        if self.open_loop:
            return OpenLoop(arrivals.poisson(RATE_RPS, WARMUP_S + MAX_S, self.seed))
        return ClosedLoop(CLIENTS)


class Decision(NamedTuple):
    """What a rule said of a configuration, and after how many requests."""

    verdict: Verdict
    requests: int


EXCESS_MS = (2, 4, 6, 7, 8, 9, 12, 14, 18, 24, 32, 48)  # with 2 ms at least, 10.4 has a p99 of 50 ms
SERVICE_MS = (0.5, 1, 2, 2.5, 3, 3.5, 4, 4.25, 4.5, 5.5, 6, 8)  # from 5 on more is asked than one worker can do
CONFIGURATIONS = [
    *(Configuration(("exponential", "2", str(ms)), False, seed) for seed, ms in enumerate(EXCESS_MS)),
    *(Configuration(("fifo", str(ms)), True, 100 + seed) for seed, ms in enumerate(SERVICE_MS)),
]


class WholeLength:
    """Asks for all there is."""

    def warm(self, samples: Samples, now: float) -> bool:
        return now >= WARMUP_S

    def enough(self, samples: Samples, window: tuple[float, float]) -> bool:
        return False


class Recording(NamedTuple):
    """All requests of a load of full length."""

    samples: Samples
    window: Window

    def save(self, path: Path) -> None:
        np.savez_compressed(path, window=self.window, **self.samples.columns())

    @classmethod
    def load(cls, path: Path) -> Recording:
        with np.load(path) as kept:
            start, end = map(float, kept["window"])
            return cls(Samples(**{field.name: kept[field.name] for field in fields(Samples)}), (start, end))


def record(configuration: Configuration) -> Recording:
    with truth_server(configuration.law, "--seed", configuration.seed) as server:
        endpoint = Endpoint.parse(server.url)
        generator = Generator(endpoint, [encode(endpoint, Payload(b""))], configuration.traffic, TIMEOUT_S)
        load = conduct([generator], WholeLength(), Limits(WARMUP_S, MAX_S))
    return Recording(load.samples, load.window)


def fixed(load: Recording) -> Decision:
    counted = in_window(load.samples, load.window)
    return Decision(overall(verdicts(counted, load.window, LIMITS)), len(counted))


def sequential(load: Recording, open_loop: bool) -> Decision:
    """Replays the load in front of the rule."""
    objective = "latency_mean_ms" if open_loop else "throughput_rps"
    warm_up = Steady(WARMUP_S, WARMUP_S)
    rule = Sequential(objective, PRECISION, LIMITS, MIN_S, MAX_S, warm_up, open_loop)
    start, end = load.window
    ended = np.sort(load.samples.done_s)  # rows are in order of completion
    for now in np.arange(start + ASK_EVERY_S, end, ASK_EVERY_S):
        so_far = load.samples.where(np.arange(len(ended)) < np.searchsorted(ended, now, side="right"))
        if rule.enough(so_far, (start, float(now))):
            end = float(now)
            break
    counted = in_window(load.samples, (start, end))
    return Decision(overall(rule.verdicts(counted, (start, end))), len(counted))


def recorded(configurations: Sequence[Configuration], lanes: int, kept: Path | None) -> list[Recording]:
    """Their loads, `lanes` at a time; what is in the folder `kept` is not loaded again.

    They go in waves that begin together, and are looked at when all have ended: neither disturbs what is measured.
    """
    paths = {one: kept / f"{one.name.replace(' ', '_')}.npz" for one in configurations} if kept else {}
    found = {one: Recording.load(path) for one, path in paths.items() if path.exists()}
    missing = [one for one in configurations if one not in found]
    # In processes: a load's client must not share its interpreter with another.
    with processors_awake(), ProcessPoolExecutor(lanes) as pool:
        for first in range(0, len(missing), lanes):
            wave = missing[first : first + lanes]
            found.update(zip(wave, pool.map(record, wave), strict=True))
    for one in missing if kept else []:
        found[one].save(paths[one])
    return [found[one] for one in configurations]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lanes", type=int, default=3, help="configurations at a time")
    parser.add_argument("--quick", action="store_true", help="every fourth configuration")
    parser.add_argument("--recordings", type=Path, metavar="DIR", help="where the requests of the loads are kept")
    options = parser.parse_args()

    if options.recordings:
        options.recordings.mkdir(parents=True, exist_ok=True)
    configurations = CONFIGURATIONS[:: 4 if options.quick else 1]
    found = [
        (configuration, fixed(load), sequential(load, configuration.open_loop))
        for configuration, load in zip(
            configurations, recorded(configurations, options.lanes, options.recordings), strict=True
        )
    ]
    print(f"{'':<24}{'fixed':>20}{'sequential':>20}")
    for configuration, whole, early in found:
        cells = (f"{decision.verdict.value} {decision.requests:>7,}" for decision in (whole, early))
        print(f"{configuration.name:<24}" + "".join(f"{cell:>20}" for cell in cells))
    taken, all_of_them = (sum(pair[place].requests for pair in found) for place in (2, 1))
    decided = [(whole, early) for _, whole, early in found if whole.verdict is not Verdict.UNDECIDED]
    same = sum(whole.verdict is early.verdict for whole, early in decided)
    share = taken / all_of_them
    words = f"{share:.0%} ({taken:,} of {all_of_them:,})"
    show(
        [
            Line("requests that the sequential rule needs", f"≤ {MOST_REQUESTS:.0%}", words, share <= MOST_REQUESTS),
            at_least("same verdict, where the fixed window has one", same, len(decided), 1.0),
        ]
    )


if __name__ == "__main__":
    main()
