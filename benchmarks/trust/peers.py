"""Other people's load tools, run as they are: wrk (closed loop) and MLPerf LoadGen (open loop)."""

from __future__ import annotations

import json
import re
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

LOADGEN_CLIENT = Path(__file__).with_name("loadgen_client.py")

# wrk's own report rounds. Times are microseconds; `latency` is a histogram.
REPORT = """
done = function(summary, latency, requests)
  print(string.format("%d %d %f", summary.duration, summary.requests, latency:percentile(99)))
  for place = 1, #latency do
    print(string.format("%d %d", latency(place)))
  end
end
"""


@dataclass(frozen=True)
class WrkReport:
    """What wrk measured; `filled_in_p99_ms` is the p99 that it prints, which counts made-up requests too."""

    throughput_rps: float
    mean_ms: float
    p99_ms: float
    filled_in_p99_ms: float


def wrk(url: str, connections: int, duration_s: float) -> WrkReport:
    """Run wrk with one thread."""
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write(REPORT)
        script.flush()
        command = ["wrk", "-t1", f"-c{connections}", f"-d{round(duration_s)}s", "-s", script.name, url]
        printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    head, *bins = printed[re.search(r"^\d+ \d+ \d+\.\d+$", printed, re.MULTILINE).start() :].splitlines()
    duration_us, requests = map(int, head.split()[:2])
    counts = dict(tuple(map(int, line.split())) for line in bins)
    seen = without_made_up(counts, duration_us // (requests // connections))
    if sum(seen.values()) != requests:
        raise SystemExit(f"wrk's histogram has {sum(seen.values())} requests of {requests}")
    latency_ms = np.repeat(list(seen), list(seen.values())) / 1e3
    p99_ms = float(np.percentile(latency_ms, 99))
    return WrkReport(requests / duration_us * 1e6, float(latency_ms.mean()), p99_ms, float(head.split()[2]) / 1e3)


def without_made_up(counts: Mapping[int, int], usual_us: int) -> dict[int, int]:
    """The latencies that wrk measured: {microseconds: requests}.

    Since 4.0 wrk takes a latency of at least twice the usual time between two requests of a connection for a stall,
    and adds the requests that it thinks were omitted: one for each usual time by which the latency is shorter, down
    to the usual one. They come from longer latencies only, so they can be taken away again from the longest one
    downwards.
    """
    seen = dict(sorted(counts.items(), reverse=True))
    for latency_us, count in seen.items():
        if latency_us < 2 * usual_us or not count:
            continue
        for made_up_us in range(latency_us - usual_us, usual_us, -usual_us):
            seen[made_up_us] -= count
    return {latency_us: count for latency_us, count in sorted(seen.items()) if count}


def has_loadgen(python: str) -> bool:
    """Whether this Python can import LoadGen."""
    return subprocess.run([python, "-c", "import mlperf_loadgen"], capture_output=True).returncode == 0


def loadgen(python: str, url: str, rate_rps: float, duration_s: float, seed: int) -> dict[str, float]:
    """Run MLPerf LoadGen's Server scenario; its figures have our names."""
    command = [python, str(LOADGEN_CLIENT), url, "--rate", str(rate_rps), "--duration", str(duration_s)]
    done = subprocess.run([*command, "--seed", str(seed)], check=True, capture_output=True, text=True)
    return json.loads(done.stdout.splitlines()[-1])
