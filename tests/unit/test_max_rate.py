"""The highest rate at which the SLO holds, against servers that keep it up to a known one."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from orchestrator.load.plan import ClosedLoop
from orchestrator.max_rate import PROBE_CONCURRENCY, START_SHARE, find_max_rate, look_for_max_rate
from orchestrator.measure.samples import Outcome
from orchestrator.measure.verdict import Verdict
from orchestrator.observation import Terms
from tests.fakes.trials import observation, samples

SENT = samples(100, 3.0)


class Server:
    """Keeps the SLO up to `limit`, breaks it above `breaks`, and cannot be measured where `blind` says so."""

    def __init__(self, limit=500.0, breaks=None, blind=lambda rate: False):
        self.limit, self.breaks, self.blind = limit, breaks or limit, blind
        self.asked = []

    def __call__(self, rate):
        self.asked.append(rate)
        verdict = Verdict.PASS if rate <= self.limit else Verdict.FAIL if rate > self.breaks else Verdict.UNDECIDED
        seen = observation(SENT, (1.0, 3.0))
        return replace(
            seen,
            measurement=replace(seen.measurement, offered_rps=rate),
            verdicts={"latency_p99_ms": verdict},
            invalid=("the client was late",) if self.blind(rate) else (),
        )


def interval(seen):
    return seen.measurement.intervals["max_rate_rps"]


def test_the_answer_is_the_observation_at_the_highest_rate_that_was_shown_to_keep_the_slo():
    server = Server(limit=500)
    found = find_max_rate(server, start_rps=100, precision=0.05)
    assert found.measurement.max_rate_rps == found.measurement.offered_rps == pytest.approx(500, rel=0.05)
    assert (found.verdict, found.invalid) == (Verdict.PASS, ())
    assert interval(found).lo == found.measurement.max_rate_rps <= 500 < interval(found).hi
    assert interval(found).hi / interval(found).lo <= 1.05
    assert "throughput_rps" in found.measurement.intervals
    assert found.loaded_s == 3.0 * len(server.asked)


def test_rates_that_stay_undecided_widen_the_interval_up_to_one_that_fails():
    found = find_max_rate(Server(limit=500, breaks=600), start_rps=100, precision=0.05)
    assert interval(found).lo == pytest.approx(500, rel=0.05)
    assert 600 < interval(found).hi <= 800  # where the doubling had failed


@pytest.mark.parametrize(
    ("server", "rate", "verdict", "upper"),
    [
        pytest.param(Server(limit=1), 0.0, Verdict.FAIL, 10, id="it fails at any rate"),
        pytest.param(Server(limit=1, breaks=1e9), 0.0, Verdict.UNDECIDED, math.inf, id="nothing is ever decided"),
    ],
)
def test_where_no_rate_keeps_the_slo_the_answer_is_nothing_at_the_lowest_rate(server, rate, verdict, upper):
    found = find_max_rate(server, start_rps=640, precision=0.05)
    assert found.measurement.max_rate_rps == rate
    assert (found.measurement.offered_rps, found.verdict) == (10, verdict)
    assert (interval(found).lo, interval(found).hi) == (0, upper)
    assert len(server.asked) == 7


def test_a_rate_that_may_not_be_exceeded_ends_the_search_without_an_upper_end():
    found = find_max_rate(Server(limit=1e6), start_rps=100, precision=0.05, highest_rps=250)
    assert (found.measurement.max_rate_rps, interval(found).hi) == (250, math.inf)
    assert (found.measurement.metrics()["max_rate_rps_lo"], found.invalid) == (250, ())


def test_a_load_that_cannot_be_trusted_shows_neither_that_the_slo_holds_nor_that_it_fails():
    found = find_max_rate(Server(limit=1e6, blind=lambda rate: rate > 350), start_rps=100, precision=0.05)
    assert found.measurement.max_rate_rps == pytest.approx(350, rel=0.05)
    assert interval(found).hi == math.inf
    assert len(found.invalid) == 2  # of those above, the two highest
    assert all(reason.endswith("requests/s: the client was late") for reason in found.invalid)


def test_where_doubts_do_not_count_it_has_its_say_and_its_reasons_are_kept():
    server = Server(limit=500, blind=lambda rate: rate > 350)
    found = find_max_rate(server, start_rps=100, precision=0.05, strict=False)
    assert found.measurement.max_rate_rps == pytest.approx(500, rel=0.05)
    assert interval(found).hi < 530
    assert len(found.invalid) == 2


def test_what_was_wrong_beyond_the_answers_ends_does_not_matter():
    found = find_max_rate(Server(limit=500, blind=lambda rate: rate > 700), start_rps=100, precision=0.05)
    assert found.measurement.max_rate_rps == pytest.approx(500, rel=0.05)
    assert found.invalid == ()


class Endpoint:
    """Its closed loop, which is put on before any rate is tried."""

    def __init__(self, rate=100, outcome=Outcome.OK):
        self.sent = samples(rate, 3.0, lambda index: outcome)
        self.loads = []

    def __call__(self, traffic, terms):
        self.loads.append((traffic, terms))
        return observation(self.sent, (1.0, 3.0))


TERMS = Terms(limits={"latency_p99_ms": 50.0}, warmup_s=0.5, min_s=3.0, max_s=9.0)


def test_the_first_rate_is_a_share_of_what_a_short_closed_loop_without_limits_reaches():
    endpoint, server = Endpoint(rate=800), Server()
    found = look_for_max_rate(endpoint, server, TERMS, precision=0.05)
    ((traffic, terms),) = endpoint.loads
    assert traffic == ClosedLoop(PROBE_CONCURRENCY)
    assert (terms.limits, terms.min_s, terms.max_s, terms.warmup_s) == ({}, 1.0, 2.0, 0.5)
    assert server.asked[0] == pytest.approx(START_SHARE * 800, rel=0.01)
    assert found.loaded_s == 3.0 * (1 + len(server.asked))


def test_a_first_rate_that_is_given_needs_no_closed_loop():
    endpoint, server = Endpoint(), Server()
    look_for_max_rate(endpoint, server, TERMS, precision=0.05, start_rps=123.0)
    assert (endpoint.loads, server.asked[0]) == ([], 123.0)


def test_no_rate_is_tried_on_an_endpoint_that_never_succeeds():
    endpoint, server = Endpoint(outcome=Outcome.HTTP_ERROR), Server()
    found = look_for_max_rate(endpoint, server, TERMS, precision=0.05)
    assert (found.measurement.successes, server.asked) == (0, [])
    assert math.isnan(found.measurement.max_rate_rps)


def test_a_slow_endpoint_is_tried_at_less_than_a_request_a_second():
    endpoint, server = Endpoint(rate=0.5), Server()  # one request in 3 s, none of them within the window
    look_for_max_rate(endpoint, server, TERMS, precision=0.05)
    assert server.asked[0] == START_SHARE
