"""What a request costs the load client: ours, aiohttp's and, where installed, wrk (C), on one null server.

Closed loop of 32 connections, bodies of 3 KB. Rounds are interleaved and every client runs in a process of
its own; counted is its CPU time, user and system. Ours includes recording all samples and parsing their
`Server-Timing`. With two cores or more the server has one of them and all clients take turns on another.

    python benchmarks/load_client.py [--rounds 5] [--seconds 2] [--json]
"""

import argparse
import asyncio
import json
import os
import platform
import re
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

CONNECTIONS = 32
BODY = b"x" * 3072
CONTENT_TYPE = "application/octet-stream"
LIMITS = {"aiohttp": 1 / 3, "wrk": 1.5}  # what ours may cost, as a multiple of the other client's
HERE = Path(__file__).resolve()


class Untiring:
    """Measures as long as it may."""

    def warm(self, samples, now):
        return True

    def enough(self, samples, window):
        return False


def run_ours(url, seconds):
    from orchestrator.load.conductor import Limits, conduct
    from orchestrator.load.endpoint import Endpoint, Payload, encode
    from orchestrator.load.generator import Generator
    from orchestrator.load.plan import ClosedLoop

    endpoint = Endpoint.parse(url)
    request = encode(endpoint, Payload(BODY, headers={"Content-Type": CONTENT_TYPE}))
    limits = Limits(warmup_max_s=0, max_s=seconds)

    def run():
        generator = Generator(endpoint, [request], ClosedLoop(CONNECTIONS), timeout_s=10)
        samples = conduct([generator], Untiring(), limits).samples
        if not samples.ok.all() or (samples.batch_size < 1).any() or not (samples.compute_s > 0).all():
            raise SystemExit("the null server's answers were not recorded as they are")
        return len(samples)

    return run


def run_aiohttp(url, seconds):
    import aiohttp
    import uvloop

    async def client(session, until):
        requests = 0
        while time.perf_counter() < until:
            async with session.post(url, data=BODY, headers={"Content-Type": CONTENT_TYPE}) as answer:
                await answer.read()
            requests += 1
        return requests

    async def load():
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=CONNECTIONS)) as session:
            until = time.perf_counter() + seconds
            return sum(await asyncio.gather(*(client(session, until) for _ in range(CONNECTIONS))))

    return lambda: uvloop.run(load())


PYTHON_CLIENTS = {"ours": run_ours, "aiohttp": run_aiohttp}


def measure_here(name, url, seconds):
    """Run a Python client in this process; its imports are not counted."""
    run = PYTHON_CLIENTS[name](url, seconds)
    time.sleep(0.5)  # the threads that importing numpy starts spin for a while before they rest
    before, started = cpu_s(resource.getrusage(resource.RUSAGE_SELF)), time.perf_counter()
    requests = run()
    elapsed = time.perf_counter() - started
    return result(requests, cpu_s(resource.getrusage(resource.RUSAGE_SELF)) - before, elapsed)


def measure_python(name, url, seconds):
    command = [sys.executable, str(HERE), "--client", name, "--url", url, "--seconds", str(seconds)]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def measure_wrk(url, seconds):
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write(f'wrk.method = "POST"\nwrk.body = "{BODY.decode()}"\n')
        script.write(f'wrk.headers["Content-Type"] = "{CONTENT_TYPE}"\n')
        script.flush()
        command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "-s", script.name, url]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            report = process.stdout.read()
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
    requests, elapsed = re.search(r"(\d+) requests in ([\d.]+)s", report).groups()
    return result(int(requests), cpu_s(usage), float(elapsed))


def cpu_s(usage):
    return usage.ru_utime + usage.ru_stime


def result(requests, cpu, elapsed):
    return {"cpu_us": cpu / requests * 1e6, "rps": requests / elapsed, "requests": requests}


def clients():
    installed = {name: lambda url, seconds, name=name: measure_python(name, url, seconds) for name in PYTHON_CLIENTS}
    if shutil.which("wrk"):
        installed["wrk"] = measure_wrk
    return installed


def pin(server):
    """Give the server a core and this process, with all it will start, another one."""
    if hasattr(os, "sched_setaffinity") and len(cores := sorted(os.sched_getaffinity(0))) > 1:
        os.sched_setaffinity(server.pid, cores[:1])
        os.sched_setaffinity(0, cores[1:2])


def benchmark(rounds, seconds):
    """Per client the results of all rounds; the order turns from round to round."""
    contestants = clients()
    results = {name: [] for name in contestants}
    with subprocess.Popen(
        [sys.executable, HERE.with_name("null_server.py")], stdout=subprocess.PIPE, text=True
    ) as server:
        try:
            pin(server)
            url = f"http://127.0.0.1:{int(server.stdout.readline())}/"
            for turn in range(rounds):
                names = list(contestants)
                for name in names[turn % len(names) :] + names[: turn % len(names)]:
                    results[name].append(contestants[name](url, seconds))
        finally:
            server.kill()
    return results


def compare(results):
    """Ours over each other client, round by round, and whether the median is within its limit."""
    ratios = {}
    for other, limit in LIMITS.items():
        if other in results:
            pairs = zip(results["ours"], results[other], strict=True)
            per_round = [ours["cpu_us"] / theirs["cpu_us"] for ours, theirs in pairs]
            ratios[other] = {
                **spread(per_round),
                "limit": limit,
                "holds": statistics.median(per_round) <= limit,
            }
    return ratios


def spread(values):
    return {"min": min(values), "median": statistics.median(values), "max": max(values)}


def print_table(results, ratios):
    pinned = hasattr(os, "sched_getaffinity") and len(os.sched_getaffinity(0)) == 1 < os.cpu_count()
    cores = f"{os.cpu_count()} cores" + (", one for the server, one for the client" if pinned else "")
    print(f"{platform.machine()}, {cores}, Python {platform.python_version()}; min – median – max")
    print(f"{'client':10} {'CPU per request, µs':>26} {'requests/s':>28}")
    for name, rounds in results.items():
        cpu, rps = (spread([r[key] for r in rounds]) for key in ("cpu_us", "rps"))
        print(f"{name:10} {show(cpu, '.1f'):>26} {show(rps, ',.0f'):>28}")
    for other, ratio in ratios.items():
        verdict = "holds" if ratio["holds"] else "DOES NOT HOLD"
        print(f"ours / {other}: {show(ratio, '.2f')}   at most {ratio['limit']:.2f}: {verdict}")
    for other in LIMITS.keys() - ratios.keys():
        print(f"ours / {other}: not measured, {other} is not installed")


def show(values, spec):
    return " – ".join(format(values[key], spec) for key in ("min", "median", "max"))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=2, help="length of each client's turn in a round")
    parser.add_argument("--json", action="store_true", help="print the results as JSON")
    parser.add_argument("--client", choices=PYTHON_CLIENTS, help=argparse.SUPPRESS)
    parser.add_argument("--url", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.client:
        print(json.dumps(measure_here(options.client, options.url, options.seconds)))
        return
    results = benchmark(options.rounds, options.seconds)
    ratios = compare(results)
    if options.json:
        print(json.dumps({"results": results, "ratios": ratios}, indent=2))
    else:
        print_table(results, ratios)


if __name__ == "__main__":
    main()
