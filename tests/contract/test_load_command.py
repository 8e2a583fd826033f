"""`orchestrator load` against servers on loopback: what it prints, and what its exit code says."""

from __future__ import annotations

import asyncio
import itertools
import json
import signal
import subprocess
import sys
import threading
from contextlib import contextmanager
from dataclasses import replace
from functools import partial

import pytest

from orchestrator.cli import app, load
from orchestrator.load.plan import OpenLoop
from orchestrator.measure.verdict import Verdict
from tests.fakes import servers
from tests.fakes.servers import ScriptedServer, refusing_endpoint
from tests.fakes.trials import observation, samples

SHORT = ("--duration", "0.5", "--warmup", "0")
PROMISED = ("throughput_rps", "latency_mean_ms", "latency_p50_ms", "latency_p99_ms", "send_lag_p99_ms", "error_ratio")


def after(seconds, behaviour):
    """Takes its time: a load on a server that answers at once would take all of the machine."""

    async def behave(reader, writer):
        await asyncio.sleep(seconds)
        return await behaviour(reader, writer)

    return behave


@contextmanager
def serving(*script):
    """A server in a thread of its own; gives it, and its URL."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    running = ScriptedServer.running(*script)
    server, endpoint = asyncio.run_coroutine_threadsafe(running.__aenter__(), loop).result(10)
    try:
        yield server, endpoint.url
    finally:
        asyncio.run_coroutine_threadsafe(running.__aexit__(None, None, None), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)


@pytest.fixture(scope="module")
def url():
    with serving(after(0.002, servers.ok)) as (_, url):
        yield url


@pytest.fixture
def run(monkeypatch, capsys):
    """Runs the command; returns its exit code, and what it wrote to stdout and to stderr."""

    def command(*arguments):
        monkeypatch.setattr(sys, "argv", ["orchestrator", "load", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            app.main()
        written = capsys.readouterr()
        return ended.value.code, written.out, written.err

    return command


@pytest.mark.parametrize(
    "traffic",
    [
        pytest.param(("--concurrency", 2), id="closed loop"),
        pytest.param(("--concurrency", 20, "--think-time", 0.01), id="closed loop with think time"),
        pytest.param(("--rate", 400, "--arrivals", "constant"), id="open loop"),
        pytest.param(("--rate", 400, "--slo", "p50=500ms", "--slo", "error_ratio=50%"), id="open loop with an SLO"),
    ],
)
def test_json_is_one_object_with_the_figures_and_their_intervals(run, url, traffic):
    code, out, err = run(url, *traffic, *SHORT, "--json")
    found = json.loads(out)
    assert (code, err.strip()) == (0, "")
    for name in PROMISED:
        assert found[f"{name}_lo"] <= found[name] <= found[f"{name}_hi"]
    assert found["requests"] > 50
    assert found["duration_s"] == pytest.approx(0.5, rel=0.1)
    assert found["error_ratio"] == 0
    assert found["latency_p50_ms"] >= 2
    assert (found["url"], found["valid"]) == (url, not found["reasons"])
    assert found["verdict"] == ("undecided" if "undecided" in found["slo"].values() else "pass")


def test_a_trace_is_replayed_and_then_the_load_is_over(run, url, tmp_path):
    file = tmp_path / "times.csv"
    file.write_text("".join(f"{3 + i / 100}\n" for i in range(41)))
    code, out, _ = run(url, "--trace", file, "--warmup", 0, "--json")
    found = json.loads(out)
    assert (code, found["duration_s"]) == (0, pytest.approx(0.4))
    assert found["requests"] in (40, 41)  # the last one is due when the load ends, before or after by a rounding error
    assert found["offered_rps"] == pytest.approx(100, rel=0.03)


def test_without_json_it_is_a_table_with_verdicts_and_doubts(run, url):
    code, out, err = run(url, "--rate", 100, "--arrivals", "constant", "--slo", "p99=1ms", *SHORT)
    assert (code, err) == (0, "")
    words = " ".join(out.split())
    for expected in (
        "response time, mean",
        "95 % interval",
        "server: compute, mean 3.00 ms",
        "the limit p99 ≤ 1 ms is",
    ):
        assert expected in words


def test_body_headers_and_method_are_sent(run, tmp_path):
    body = tmp_path / "body"
    body.write_bytes(b"x" * 1000)
    with serving(after(0.002, servers.ok)) as (server, url):
        options = ("--body", body, "--header", "X-Key: 1", "--method", "put", "--concurrency", 1)
        code, out, _ = run(f"{url}/v2/infer?x=1", *options, *SHORT, "--json")
        assert (code, server.requests.get_nowait()) == (0, b"PUT /v2/infer?x=1 HTTP/1.1")
        assert json.loads(out)["error_ratio"] == 0


@pytest.mark.parametrize(
    "traffic", [("--concurrency", 2, *SHORT), ("--max-rate", "--slo", "p99=1s", "--warmup", 0)], ids=str
)
def test_an_endpoint_on_which_nothing_succeeds_is_told_with_exit_code_1(run, traffic):
    with serving(after(0.02, servers.unavailable)) as (_, url):
        code, out, _ = run(url, *traffic, "--json")
    found = json.loads(out)
    assert (code, found["valid"], found["error_ratio"]) == (1, False, 1)
    (reason,) = found["reasons"]
    assert reason.startswith("no request succeeded")
    assert reason.endswith("HTTP 503")
    assert "max_rate_rps" not in found


def test_where_nobody_listens_it_says_so_at_once_with_exit_code_1(run):
    url = refusing_endpoint().url
    expected = f"error: nothing answers at {url}: is the server running, and is the address right?\n"
    assert run(url) == (1, "", expected)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--concurrency", 2, "--rate", 5), "usage: --concurrency and --rate are different loads"),
        (("--slo", "p99"), "usage: --slo 'p99': write p99=50ms"),
        (("--header", "X-Key"), "usage: --header 'X-Key': write 'Name: value'"),
        (("--body", "/no/such"), "usage: --body /no/such: No such file or directory"),
        (("--max-rate",), "usage: --max-rate looks for the highest rate that keeps a promise"),
        (("--trace", "/no/such"), "usage: --trace /no/such: No such file or directory"),
    ],
    ids=str,
)
def test_a_mistake_is_one_line_and_exit_code_2(run, arguments, message):
    code, out, err = run(refusing_endpoint().url, *arguments)
    assert (code, out, len(err.splitlines())) == (2, "", 1)
    assert err.startswith(message)


def test_https_is_one_line_and_exit_code_2(run):
    code, out, err = run("https://127.0.0.1")
    assert (code, out, err) == (2, "", "usage: only plain http can be measured, not https: 'https://127.0.0.1'\n")


def test_a_number_out_of_range_names_the_option_with_exit_code_2(run):
    code, _, err = run("http://127.0.0.1:1", "--duration", "inf")
    assert code == 2
    assert "'--duration'" in err


class Measured:
    """In place of `observe`: loads that take no time, on a server that keeps its SLO up to 500 requests/s."""

    def __init__(self, doubted=lambda rate, before: False):
        self.doubted = doubted
        self.rates = []

    def __call__(self, send, traffic, terms, machine, on_phase):
        on_phase("measure")
        seen = observation(samples(800, 3.0), (1.0, 3.0))
        if not isinstance(traffic, OpenLoop):
            return seen
        rate = round(len(traffic.arrivals_s) / traffic.ends_s)
        invalid = ("the client was late",) if self.doubted(rate, self.rates) else ()
        self.rates.append(rate)
        verdict = Verdict.PASS if rate <= 500 else Verdict.FAIL
        return replace(seen, verdicts={"latency_p99_ms": verdict}, invalid=invalid)


MAX_RATE = ("--max-rate", "--slo", "p99=50ms", "--arrivals", "constant")


def test_the_highest_rate_is_found_and_each_rate_that_was_tried_is_told(run, url, monkeypatch):
    measured = Measured()
    monkeypatch.setattr(load, "observe", measured)
    code, out, err = run(url, *MAX_RATE, "--json")
    found = json.loads(out)
    assert code == 0
    assert found["max_rate_rps"] == found["max_rate_rps_lo"] == pytest.approx(500, rel=0.05)
    assert found["max_rate_rps"] < 500 < found["max_rate_rps_hi"]
    told = err.splitlines()
    assert told[0] == "at 560 req/s (p99 10.0 ms) the SLO is broken"
    assert told[1] == "at 280 req/s (p99 10.0 ms) the SLO holds"
    assert len(told) == len(measured.rates)


def test_a_rate_that_could_not_be_trusted_is_tried_once_more(run, url, monkeypatch):
    measured = Measured(doubted=lambda rate, before: rate == 560 and rate not in before)
    monkeypatch.setattr(load, "observe", measured)
    code, out, _ = run(url, *MAX_RATE)
    assert (code, measured.rates[:3]) == (0, [560, 560, 280])
    words = " ".join(out.split())
    assert "at 560 req/s (p99 10.0 ms) the SLO is broken" in words
    assert "highest rate within the SLO" in words
    assert "INVALID" not in words


def test_rates_that_are_never_to_be_trusted_end_the_search_and_say_so(run, url, monkeypatch):
    measured = Measured(doubted=lambda rate, before: True)
    monkeypatch.setattr(load, "observe", measured)
    code, out, _ = run(url, *MAX_RATE)
    assert (code, len(measured.rates)) == (0, 14)  # 7 rates down to 1/64 of the first, each twice
    words = " ".join(out.split())
    assert "the SLO is not known: the client was late" in words
    assert "no rate was shown to keep the SLO" in words
    assert "INVALID at 560 requests/s: the client was late" in words


def test_ctrl_c_ends_it_with_one_word_and_exit_code_130():
    requests, under_way = itertools.count(1), threading.Event()

    async def counted(reader, writer):
        if next(requests) == 20:  # no longer the question whether anybody answers
            under_way.set()
        return await after(0.002, servers.ok)(reader, writer)

    with serving(counted) as (_, url):
        command = [sys.executable, "-m", "orchestrator", "load", url, "--concurrency", "2", "--duration", "600"]
        # of a shell in the background it would be ignored, by whoever is started from there
        heard = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        with subprocess.Popen(command, preexec_fn=heard, **pipes) as process:
            try:
                assert under_way.wait(60)
                process.send_signal(signal.SIGINT)
                out, err = process.communicate(timeout=60)
            finally:
                process.kill()
    assert (process.returncode, out.split(), err) == (130, ["Interrupted."], "")
