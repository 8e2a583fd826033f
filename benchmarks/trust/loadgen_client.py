"""MLPerf LoadGen's Server scenario against an HTTP server: LoadGen schedules and measures, this carries its
queries.

    python benchmarks/trust/loadgen_client.py http://127.0.0.1:8000/ --rate 300 --duration 20

Needs `mlcommons-loadgen`, and nothing else: it may run in an environment of its own. LoadGen calls `issue` in its
own thread at each scheduled time and counts from that time. The query is handed to an event loop in a second thread
and sent on a free connection, or a new one; so LoadGen's thread never waits for the network. The hand-over costs a
wake-up of the other thread, some 0.1 ms, which LoadGen takes for the server's. Prints one JSON object, times in
milliseconds.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import tempfile
import threading
from pathlib import Path
from urllib.parse import urlsplit

import mlperf_loadgen


class Carrier:
    """Sends LoadGen's queries from an event loop in a thread of its own."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._address = (parts.hostname, parts.port)
        self.request = f"GET {parts.path or '/'} HTTP/1.1\r\nHost: {parts.netloc}\r\n\r\n".encode()
        self._loop = asyncio.new_event_loop()
        self.free: list[Connection] = []
        self._connecting: set[asyncio.Task] = set()  # an event loop alone does not keep its tasks
        threading.Thread(target=self._loop.run_forever, daemon=True).start()

    def issue(self, samples: list) -> None:
        """Called by LoadGen, in its thread."""
        self._loop.call_soon_threadsafe(self._send, [sample.id for sample in samples])

    def _send(self, queries: list[int]) -> None:
        for query in queries:
            if self.free:
                self.free.pop().send(query)  # the one used last: as few connections as will do
            else:
                connecting = self._loop.create_task(self._connect_and_send(query))
                self._connecting.add(connecting)
                connecting.add_done_callback(self._connecting.discard)

    async def _connect_and_send(self, query: int) -> None:
        _, connection = await self._loop.create_connection(lambda: Connection(self), *self._address)
        connection.send(query)


class Connection(asyncio.Protocol):
    """One keep-alive connection; an answer ends with its Content-Length."""

    def __init__(self, carrier: Carrier) -> None:
        self._carrier = carrier

    def connection_made(self, transport):
        self._transport = transport

    def send(self, query: int) -> None:
        self._query, self._received = query, b""
        self._transport.write(self._carrier.request)

    def data_received(self, data):
        self._received += data
        head, end, body = self._received.partition(b"\r\n\r\n")
        if end and len(body) >= int(re.search(rb"\ncontent-length: *(\d+)", head, re.IGNORECASE)[1]):
            answer = mlperf_loadgen.QuerySampleResponse(self._query, 0, 0)
            mlperf_loadgen.QuerySamplesComplete([answer])
            self._carrier.free.append(self)


def measure(url: str, rate_rps: float, duration_s: float, seed: int) -> dict[str, float]:
    """LoadGen's own figures of one run."""
    carrier = Carrier(url)
    settings = mlperf_loadgen.TestSettings()
    settings.scenario = mlperf_loadgen.TestScenario.Server
    settings.mode = mlperf_loadgen.TestMode.PerformanceOnly
    settings.server_target_qps = rate_rps
    settings.server_target_latency_ns = 10_000_000_000  # judged by nobody here
    settings.min_duration_ms = round(duration_s * 1e3)
    settings.min_query_count = 1
    settings.schedule_rng_seed = seed
    with tempfile.TemporaryDirectory() as directory:
        logs = mlperf_loadgen.LogSettings()
        logs.log_output.outdir = directory
        logs.log_output.copy_summary_to_stdout = False
        system = mlperf_loadgen.ConstructSUT(carrier.issue, lambda: None)
        library = mlperf_loadgen.ConstructQSL(1, 1, lambda queries: None, lambda queries: None)
        mlperf_loadgen.StartTestWithLogSettings(system, library, settings, logs)
        mlperf_loadgen.DestroyQSL(library)
        mlperf_loadgen.DestroySUT(system)
        summary = (Path(directory) / "mlperf_log_summary.txt").read_text()
    wanted = {"mean": "Mean latency", "p50": "50.00 percentile latency", "p99": "99.00 percentile latency"}
    figures = {name: int(re.search(rf"{text} \(ns\) *: (\d+)", summary)[1]) / 1e6 for name, text in wanted.items()}
    return {f"latency_{name}_ms": value for name, value in figures.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("url")
    parser.add_argument("--rate", type=float, required=True)
    parser.add_argument("--duration", type=float, required=True)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    print(json.dumps(measure(options.url, options.rate, options.duration, options.seed)))


if __name__ == "__main__":
    main()
