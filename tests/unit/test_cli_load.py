"""`orchestrator load`: what its options mean, and how it tells what came out; nothing is sent here."""

from __future__ import annotations

import io
import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from orchestrator.cli.load_options import open_loop, option_values, plan_of, slo_limits
from orchestrator.cli.load_outcome import load_document, print_load, rate_line
from orchestrator.errors import UsageError
from orchestrator.load import arrivals
from orchestrator.load.plan import MAX_CONNECTIONS, ClosedLoop, OpenLoop
from orchestrator.measure.interval import Interval
from orchestrator.measure.samples import Outcome
from orchestrator.measure.verdict import Verdict, verdicts
from orchestrator.names import limit_text
from tests.fakes.trials import observation, samples

URL = "http://127.0.0.1:8000/x"


def plan(url=URL, **options):
    return plan_of(option_values(url=url, **options))


@pytest.mark.parametrize(
    ("text", "name", "limit"),
    [
        ("p99=50ms", "latency_p99_ms", 50.0),
        (" p50 <= 0.2 s ", "latency_p50_ms", 200.0),
        ("p95=800us", "latency_p95_ms", 0.8),
        ("p99.9=1s", "latency_p999_ms", 1000.0),
        ("p999=1s", "latency_p999_ms", 1000.0),
        ("p99.0=1s", "latency_p99_ms", 1000.0),
        ("p50.0=1s", "latency_p50_ms", 1000.0),
        ("mean=.5ms", "latency_mean_ms", 0.5),
        ("max=1s", "latency_max_ms", 1000.0),
        ("error_ratio=0.1%", "error_ratio", 0.001),
        ("error_ratio=0.02", "error_ratio", 0.02),
        ("error_ratio<=0", "error_ratio", 0.0),
    ],
)
def test_a_promise_is_a_limit_on_a_figure_that_has_a_verdict(text, name, limit):
    limits = slo_limits([text])
    assert limits == {name: pytest.approx(limit)}
    assert verdicts(samples(100, 3.0), (0, 3), limits).keys() == limits.keys()


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (["p99"], "write p99=50ms"),
        (["p99=50"], "write p99=50ms"),
        (["p99=fast"], "write p99=50ms"),
        (["p99=1.2.3ms"], "write p99=50ms"),
        (["p100=1s"], "write p99=50ms"),
        (["p00=1s"], "write p99=50ms"),
        (["p5=1s"], "write p99=50ms"),
        (["median=1s"], "write p99=50ms"),
        (["error_ratio=50"], "a share of requests is from 0 to 1"),
        (["error_ratio=101%"], "a share of requests is from 0 to 1"),
        (["p99=0ms"], "no response time is as short"),
        (["p99=1ms", "p99.0=2ms"], "that figure already has a limit"),
    ],
)
def test_a_promise_that_cannot_be_read_is_one_message(texts, message):
    with pytest.raises(UsageError, match=message) as caught:
        slo_limits(texts)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "limit", "expected"),
    [
        ("latency_p99_ms", 50.0, "p99 ≤ 50 ms"),
        ("latency_p999_ms", 0.5, "p99.9 ≤ 0.5 ms"),
        ("latency_mean_ms", 20.0, "mean ≤ 20 ms"),
        ("error_ratio", 0.001, "error_ratio ≤ 0.1 %"),
    ],
)
def test_a_limit_is_told_as_it_was_written(name, limit, expected):
    assert limit_text(name, limit) == expected


@pytest.mark.parametrize(
    ("options", "traffic"),
    [
        pytest.param({}, ClosedLoop(32), id="nothing said"),
        pytest.param({"concurrency": 3, "think_time_s": 0.5}, ClosedLoop(3, 0.5), id="closed loop"),
        pytest.param({"max_rate": True, "slo": ["p99=1s"]}, None, id="left to the search"),
    ],
)
def test_clients_of_a_closed_loop_are_32_unless_stated(options, traffic):
    assert plan(**options).traffic == traffic


@pytest.mark.parametrize("kind", arrivals.STEADY)
def test_an_open_loop_has_arrivals_for_as_long_as_it_may_last(kind):
    made = plan(rate=50.0, arrivals=kind, seed=3, duration_s=7.0).traffic
    np.testing.assert_array_equal(made.arrivals_s, arrivals.steady(kind, 50.0, 10 + 7, 3))
    same = open_loop(option_values(url=URL, arrivals=kind, seed=3, duration_s=7.0), 50.0)
    np.testing.assert_array_equal(made.arrivals_s, same.arrivals_s)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        pytest.param({}, ("throughput_rps", 2, 15, False, 10), id="until the figures are known"),
        pytest.param({"rate": 10.0}, ("latency_mean_ms", 2, 15, False, 10), id="of an open loop the response time"),
        pytest.param({"duration_s": 0.5}, ("throughput_rps", 0.5, 0.5, True, 10), id="for so long"),
        pytest.param({"duration_s": 60.0, "warmup_s": 20.0}, ("throughput_rps", 2, 60, True, 20), id="a long warm-up"),
        pytest.param(
            {"max_rate": True, "slo": ["p99=1s"], "duration_s": 5.0},
            ("goodput_rps", 2, 5, False, 10),
            id="at each rate at most so long",
        ),
    ],
)
def test_how_long_is_measured_depends_on_the_load_and_the_duration(options, expected):
    terms = plan(**options).terms
    assert (terms.objective, terms.min_s, terms.max_s, terms.fixed, terms.warmup_max_s) == expected
    assert terms.even


@pytest.mark.parametrize("options", [{"rate": 5.0}, {"trace": "0\n5\n"}], ids=str)
def test_connections_of_an_open_loop_are_limited_as_stated(tmp_path, options):
    if "trace" in options:
        (tmp_path / "times.csv").write_text(options["trace"])
        options = {"trace": tmp_path / "times.csv"}
    assert plan(**options, connections=7).traffic.max_connections == 7
    assert plan(**options).traffic.max_connections == MAX_CONNECTIONS


def trace_file(tmp_path, *times):
    file = tmp_path / "times.csv"
    file.write_text("".join(f"{time}\n" for time in times))
    return file


@pytest.mark.parametrize(("duration_s", "max_s"), [(None, 60.0), (5.0, 5.0)])
def test_a_trace_is_replayed_to_its_end_unless_a_duration_is_stated(tmp_path, duration_s, max_s):
    made = plan(trace=trace_file(tmp_path, 100, 102.5, 160), duration_s=duration_s)
    assert isinstance(made.traffic, OpenLoop)
    assert made.traffic.arrivals_s.tolist() == [0, 2.5, 60]
    terms = made.terms
    assert (terms.max_s, terms.fixed, terms.even, terms.warmup_s, terms.warmup_max_s) == (max_s, True, False, 1.0, 1.0)


def test_the_request_is_as_stated(tmp_path):
    body = tmp_path / "body.json"
    body.write_text("{}")
    made = plan(url="http://[::1]:81/v2?a=1#top", body=body, headers=["X-Key:  a:b "], method="put")
    assert made.endpoint.authority == "[::1]:81"
    assert made.request == b"PUT /v2?a=1 HTTP/1.1\r\nHost: [::1]:81\r\nX-Key: a:b\r\nContent-Length: 2\r\n\r\n{}"
    assert plan(body=body).request.startswith(b"POST /x ")
    assert plan(url="http://localhost").request == b"GET / HTTP/1.1\r\nHost: localhost:80\r\n\r\n"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"concurrency": 3, "rate": 5.0}, "--concurrency and --rate are different loads"),
        ({"trace": Path("x"), "max_rate": True}, "--trace and --max-rate are different loads"),
        ({"max_rate": True}, "say which with --slo"),
        ({"rate": 5.0, "arrivals": "bursts"}, "--arrivals is poisson or constant, not 'bursts'"),
        ({"arrivals": "constant"}, "--arrivals goes with --rate or --max-rate, not with --concurrency"),
        ({"trace": Path("x"), "arrivals": "constant"}, "not with --trace"),
        ({"rate": 5.0, "think_time_s": 1.0}, "--think-time goes with a closed loop"),
        ({"rate": 1e9}, "--rate 1e.09: a load has at most 100,000,000 arrivals"),
        ({"rate": math.inf}, "rate_rps is more than 0 and finite"),
        ({"trace": Path("/no/such")}, "--trace /no/such: No such file or directory"),
        ({"body": Path("/no/such")}, "--body /no/such: No such file or directory"),
        ({"headers": ["X-Key"]}, "write 'Name: value'"),
        ({"headers": ["A: 1", "a: 2"]}, "that header is given twice"),
        ({"headers": ["A: 1\nB: 2"]}, "not a valid header"),
        ({"headers": ["Host: x"]}, "the header Host is set by the load client"),
        ({"method": "HEAD"}, "requests cannot be sent with the method 'HEAD'"),
        ({"url": "https://127.0.0.1"}, "only plain http can be measured, not https"),
        ({"url": "127.0.0.1:8000"}, "a URL looks like http://127.0.0.1:8000/path, not '127.0.0.1:8000'"),
        ({"url": "http:///x"}, "a URL looks like"),
        ({"url": "http://[::1"}, "Invalid IPv6 URL"),
        ({"url": "http://h:99999/"}, "Port out of range"),
        ({"url": "http://h/a b"}, "a path begins with '/' and is URL-encoded"),
    ],
    ids=str,
)
def test_a_mistake_in_the_options_is_one_message(options, message):
    with pytest.raises(UsageError, match=message) as caught:
        plan(**options)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("times", "message"),
    [
        ([], "there is no time in this file"),
        ([2, 1], "line 2: '1' is before the line above"),
        ([0, 1], "it ends after 1 s, and the first 1 s are warm-up; shorten that with --warmup"),
    ],
)
def test_a_trace_that_cannot_be_replayed_is_one_message(tmp_path, times, message):
    with pytest.raises(UsageError, match=f"--trace .*{message}"):
        plan(trace=trace_file(tmp_path, *times))


LIMITS = {"latency_p99_ms": 50.0}


def seen(outcome=Outcome.OK, invalid=(), limits=LIMITS, max_rate=None, **changes):
    one = observation(samples(1000, 3.0, lambda index: outcome), (1.0, 3.0), limits)
    measurement = one.measurement
    if max_rate:
        intervals = {**measurement.intervals, "max_rate_rps": max_rate}
        measurement = replace(measurement, max_rate_rps=max_rate.lo, intervals=intervals)
    return replace(one, measurement=measurement, invalid=invalid, **changes)


def told(observation, width=80, limits=LIMITS):
    console = Console(width=width, record=True, file=io.StringIO())
    print_load(console, "http://[::1]:81/[bold]", observation, limits)
    return " ".join(console.export_text().split())


def test_the_document_has_the_figures_by_the_names_of_a_trial_and_is_strict_json():
    document = load_document(URL, seen(max_rate=Interval(900.0, math.inf)))
    assert json.loads(json.dumps(document, allow_nan=False)) == document
    for name in ("throughput_rps", "latency_mean_ms", "latency_p50_ms", "latency_p99_ms", "send_lag_p99_ms"):
        assert document[f"{name}_lo"] <= document[name] <= document[f"{name}_hi"]
    assert (document["requests"], document["error_ratio"], document["compute_share"]) == (2000, 0, pytest.approx(0.5))
    assert (document["url"], document["verdict"], document["slo"]) == (URL, "pass", {"latency_p99_ms": "pass"})
    assert (document["valid"], document["reasons"]) == (True, [])
    assert (document["max_rate_rps"], "max_rate_rps_hi" in document) == (900, False)


DRIFT = "the throughput was drifting; warm up for longer (measure.warmup_s)"


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        (DRIFT, "the throughput was drifting; warm up for longer (--warmup)"),
        ("measure for about 3 s (measure.max_s)", "measure for about 3 s (--duration)"),
        (
            "give it more processes (load.clients) or a machine of its own (load.placement: other_node)",
            "give it more processes or a machine of its own",
        ),
    ],
)
def test_reasons_are_in_the_words_of_this_command(reason, expected):
    document = load_document(URL, seen(invalid=(reason,)))
    assert (document["valid"], document["reasons"]) == (False, [expected])
    assert f"INVALID {expected}" in told(seen(invalid=(reason,)), width=140)


def test_without_a_single_success_that_is_the_reason():
    document = load_document(URL, seen(Outcome.HTTP_ERROR, invalid=("too few samples",)))
    reason = "no request succeeded: 2,000 of 2,000 requests failed: 2,000 × HTTP 500"
    assert (document["valid"], document["reasons"]) == (False, [reason])


@pytest.mark.parametrize(
    ("observation", "words"),
    [
        pytest.param(seen(), "http://[::1]:81/[bold]", id="the URL as it is"),
        pytest.param(seen(), "from 2,000 requests (2,000 succeeded) in 2.0 s, after 1.0 s of warm-up", id="requests"),
        pytest.param(seen(), "the limit p99 ≤ 50 ms holds, with 99 % confidence", id="holds"),
        pytest.param(
            seen(verdicts={"latency_p99_ms": Verdict.FAIL}), "the limit p99 ≤ 50 ms is broken, with 99 %", id="broken"
        ),
        pytest.param(
            seen(verdicts={"latency_p99_ms": Verdict.UNDECIDED}), "the limit p99 ≤ 50 ms is undecided", id="undecided"
        ),
        pytest.param(seen(Outcome.TIMEOUT), "2,000 of 2,000 requests failed: 2,000 × time-out", id="failures"),
        pytest.param(
            seen(max_rate=Interval(900.0, 945.0)), "highest rate within the SLO 900 req/s 900 to 945", id="max rate"
        ),
        pytest.param(
            seen(max_rate=Interval(900.0, math.inf)), "within the SLO 900 req/s at least 900", id="no upper end"
        ),
        pytest.param(seen(max_rate=Interval(0.0, 9.0)), "no rate was shown to keep the SLO", id="no rate"),
    ],
)
def test_the_outcome_is_told_in_words(observation, words):
    assert words in told(observation)


def test_a_percentile_with_a_limit_is_shown_whichever_it_is():
    limits = {"latency_p999_ms": 50.0}
    assert "p99.9 10.0 ms 10.0 to 10.0" in told(seen(limits=limits), limits=limits)
    assert load_document(URL, seen(limits=limits))["latency_p999_ms"] == pytest.approx(10)


@pytest.mark.parametrize(
    ("observation", "expected"),
    [
        (seen(), "at 1,234 req/s (p99 10.0 ms) the SLO holds"),
        (seen(verdicts={"x": Verdict.FAIL}), "at 1,234 req/s (p99 10.0 ms) the SLO is broken"),
        (seen(verdicts={"x": Verdict.UNDECIDED}), "at 1,234 req/s (p99 10.0 ms) the SLO is undecided"),
        (
            seen(invalid=(DRIFT, "b")),
            "the SLO is not known: the throughput was drifting; warm up for longer (--warmup)",
        ),
    ],
)
def test_each_rate_that_is_tried_leaves_a_line(observation, expected):
    assert str(rate_line(1234.0, observation)).endswith(expected)
