"""What a wait of `@serve.batch` really is: how long a lone request waits until its batch begins.

    python benchmarks/batch_wait.py [--requests 400]

Without Ray and HTTP, on both event loops, so that nothing else is in the figures; Serve's replicas run on uvloop unless
RAY_USE_UVLOOP is 0. The first row, without a wait, is what the batch itself costs, and `beyond it` what the wait adds.
Medians with their 95 % intervals (from order statistics: no assumption on how the times are distributed).
"""

from __future__ import annotations

import argparse
import asyncio
import math
import statistics
import time
from types import SimpleNamespace

import uvloop
from ray import serve

WAITS_S = (0.0, 1e-5, 1e-4, 4e-4, 6e-4, 1e-3, 2e-3, 1e-2)
LOOPS = {"uvloop": uvloop.run, "asyncio": asyncio.run}
PAUSE_S = 0.0013
"""Between requests, no multiple of a timer's millisecond: they are not to move in step with it."""

UNCOUNTED = 20
"""First requests, which find nothing warm."""


async def waited_us(wait_s: float, requests: int) -> list[float]:
    """From the call to the beginning of the batch, sorted."""
    began = []

    async def run(batch: list[int]) -> list[int]:
        began.append(time.perf_counter())
        return batch

    ask = serve.batch(max_batch_size=8, batch_wait_timeout_s=wait_s)(run)
    found = []
    for _ in range(UNCOUNTED + requests):
        asked = time.perf_counter()
        await ask(0)
        found.append((began[-1] - asked) * 1e6)
        await asyncio.sleep(PAUSE_S)
    return sorted(found[UNCOUNTED:])


def middle(found: list[float]) -> tuple[float, float, float]:
    """Median of sorted values and its interval: the ranks that 1.96 binomial deviations lie from the middle."""
    reach = 0.98 * math.sqrt(len(found))
    low, high = math.floor(len(found) / 2 - reach), math.ceil(len(found) / 2 + reach)
    return statistics.median(found), found[max(0, low)], found[min(len(found) - 1, high)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=400, help="for each wait")
    requests = parser.parse_args().requests
    # @serve.batch asks its replica for one number, to warn about it.
    context = SimpleNamespace(_deployment_config=SimpleNamespace(max_ongoing_requests=1000))
    serve.get_replica_context = lambda: context
    print("| event loop | wait asked for, µs | waited, µs | beyond it, µs | slowest tenth from, µs |")
    print("| --- | --- | --- | --- | --- |")
    for name, run in LOOPS.items():
        floor = math.nan
        for wait_s in WAITS_S:
            found = run(waited_us(wait_s, requests))
            median, low, high = middle(found)
            floor = median if wait_s == 0 else floor
            texts = f"{median:,.0f} ({low:,.0f}–{high:,.0f}) | {median - floor:,.0f} | {found[-len(found) // 10]:,.0f}"
            print(f"| {name} | {wait_s * 1e6:,.0f} | {texts} |", flush=True)


if __name__ == "__main__":
    main()
