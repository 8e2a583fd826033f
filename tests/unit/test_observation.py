"""What a load is taken for: the record of a conductor that takes no time, judged."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from orchestrator import observation
from orchestrator.load.plan import ClosedLoop, OpenLoop
from orchestrator.load.record import ClientUse, LoadRecord
from orchestrator.measure.race import Rival
from orchestrator.measure.samples import Outcome
from orchestrator.measure.verdict import Verdict
from orchestrator.observation import Terms, observe, observe_again
from tests.fakes import trials
from tests.fakes.trials import samples

CALM = ClientUse(cpu_share=0.2, waiting_share=0.0, connections=4, held_back=0)
CLOSED = ClosedLoop(8)
LIMITS = {"latency_p99_ms": 50.0}


@pytest.fixture
def observed(monkeypatch):
    """Observes what a conductor hands over at once; what it was asked for is in `asked`."""

    def run(
        sent, window=(1.0, 3.0), traffic=CLOSED, client=CALM, origin=100.0, machine=None, ceiling=math.nan, **terms
    ):
        def conduct(parts, watch, limits, **_):
            run.asked = {"parts": parts, "watch": watch, "limits": limits}
            if "rival" in terms:
                watch.enough(sent, window)
            return LoadRecord(sent, window, client, origin)

        monkeypatch.setattr(observation, "conduct", conduct)
        return observe(lambda traffic: [traffic], traffic, Terms(**terms), machine, ceiling)

    return run


def test_an_observation_has_the_figures_the_verdicts_and_where_the_time_went(observed):
    seen = observed(samples(1000, 3.0), limits={**LIMITS, "error_ratio": 0.01}, items_per_request=4)
    assert seen.measurement.throughput_rps == pytest.approx(1000)
    assert seen.measurement.items_per_s == pytest.approx(4000)
    assert seen.verdicts == {"latency_p99_ms": Verdict.PASS, "error_ratio": Verdict.PASS}
    assert seen.verdict is Verdict.PASS
    assert seen.breakdown.mean.compute_ms == pytest.approx(5)
    assert (seen.invalid, seen.repeated, seen.loaded_s) == ((), (), 3.0)


def test_further_figures_are_those_that_are_known(observed):
    seen = observed(samples(1000, 3.0), machine=lambda window: {"steal_share": 0.01, "gpu_busy_share": math.nan})
    figures = seen.figures()
    assert (figures["client_cpu_share"], figures["steal_share"], figures["compute_ms_tail"]) == (
        0.2,
        0.01,
        pytest.approx(5),
    )
    assert "gpu_busy_share" not in figures


def test_the_machine_is_asked_for_the_window_on_its_own_clock(observed):
    windows = []
    observed(samples(1000, 3.0), origin=100.0, machine=lambda window: windows.append(window) or {})
    assert windows == [(101.0, 103.0)]


def test_the_conductor_gets_the_parts_the_limits_and_when_arrivals_run_out(observed):
    observed(samples(1000, 3.0), traffic=OpenLoop(np.array([0.0, 7.5])), warmup_max_s=4, max_s=9)
    limits = observed.asked["limits"]
    assert (limits.warmup_max_s, limits.max_s, limits.ends_s) == (4, 9, 7.5)
    assert len(observed.asked["parts"]) == 1


@pytest.mark.parametrize(("fixed", "enough"), [(False, True), (True, False)])
def test_a_fixed_length_is_kept_whatever_is_known_before(observed, fixed, enough):
    sent = samples(1000, 3.0)
    observed(sent, fixed=fixed, limits={"latency_p99_ms": 1.0}, max_s=9, precision=0.5)  # the limit fails at once
    assert observed.asked["watch"].enough(sent, (1.0, 3.0)) is enough


@pytest.mark.parametrize(("best", "beaten"), [(10_000.0, True), (1000.0, False)])
def test_who_is_beaten_by_a_rival_needs_no_more_requests(observed, best, beaten):
    rival = Rival(best, best / 100, maximize=True)
    seen = observed(samples(1000, 3.0), rival=rival, limits={"latency_p999_ms": 10.001})
    assert seen.beaten == beaten
    assert [reason.split(":")[0] for reason in seen.invalid] == ([] if beaten else [FEW])


@pytest.mark.parametrize(
    ("terms", "rate", "enough"),
    [
        pytest.param({}, 60, True, id="100 successes for a throughput"),
        pytest.param({"asked": ("latency_p99_ms",)}, 200, False, id="too few for a p99"),
        pytest.param({"asked": ("latency_p99_ms",)}, 240, True, id="enough for a p99"),
        pytest.param({"objective": "latency_p999_ms"}, 2200, False, id="too few for a p99.9, however alike they are"),
        pytest.param({"objective": "latency_p999_ms"}, 2400, True, id="enough for a p99.9"),
    ],
)
def test_it_is_measured_until_there_are_enough_requests_for_each_percentile(observed, terms, rate, enough):
    sent = samples(rate, 3.0)
    observed(sent, max_s=9, **terms)
    assert bool(observed.asked["watch"].enough(sent, (1.0, 3.0))) is enough


@pytest.mark.parametrize(
    ("asked", "sent", "short_of"),
    [
        pytest.param(None, 1000, None, id="no number is asked for"),
        pytest.param(2000, 1000, None, id="as many as were asked for"),
        pytest.param(2001, 1000, 2001, id="one is missing"),
    ],
)
def test_a_window_that_ends_without_the_requests_that_were_asked_for_says_so(observed, asked, sent, short_of):
    assert observed(samples(sent, 3.0), requests=asked).short_of == short_of


def test_who_is_beaten_is_not_short_of_requests(observed):
    seen = observed(samples(1000, 3.0), rival=Rival(10_000.0, 100.0, maximize=True), requests=5000)
    assert (seen.beaten, seen.short_of) == (True, None)


SLOWING = 6 * (1 - np.sqrt(1 - np.arange(2400) / 3000))  # arrivals at 1,000 a second, and after 3 s at 500
DRIFT, FEW = "the throughput was still drifting", "too few samples"


def slowing():
    sent = samples(len(SLOWING), 1.0)
    return replace(sent, scheduled_s=SLOWING, sent_s=SLOWING, done_s=SLOWING + 0.01)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        pytest.param({}, DRIFT, id="a closed loop"),
        pytest.param({"even": False}, None, id="a rate that is meant to change"),
        pytest.param({"traffic": OpenLoop(SLOWING)}, DRIFT, id="an open loop that goes on"),
        pytest.param({"traffic": OpenLoop(SLOWING[SLOWING < 3.0])}, None, id="an open loop that has ended"),
        pytest.param({"client": replace(CALM, cpu_share=0.95)}, "the client's CPU was the limit", id="a busy client"),
        pytest.param({"ceiling": 700}, "at the client/proxy ceiling", id="the null application's throughput"),
        pytest.param({"machine": lambda _: {"steal_share": 0.2}}, "another machine took 20%", id="steal"),
    ],
)
def test_a_load_that_cannot_be_trusted_says_why(observed, changes, reason):
    invalid = observed(slowing(), **{"window": (0.5, 3.0), **changes}).invalid
    assert any(one.startswith(reason) for one in invalid) if reason else invalid == ()


@pytest.mark.parametrize(
    ("terms", "needed"),
    [
        pytest.param({}, None, id="no percentile is asked for"),
        pytest.param({"limits": {"latency_p99_ms": 10.001}}, "the p99 needs 459", id="an open limit"),
        pytest.param({"limits": {"latency_p999_ms": 10.001}}, "the p99.9 needs 4,603", id="three digits"),
        pytest.param({"limits": {"latency_p99_ms": 1.0}}, None, id="a limit that has failed"),
        pytest.param({"objective": "latency_p95_ms"}, None, id="an objective with enough"),
        pytest.param({"objective": "latency_p99_ms"}, "the p99 needs 459", id="an objective without"),
        pytest.param({"asked": ("latency_p99_ms", "goodput_rps")}, "the p99 needs 459", id="a further objective"),
    ],
)
def test_as_many_requests_are_needed_as_the_open_percentiles_take(observed, terms, needed):
    invalid = observed(samples(100, 3.0), **terms).invalid
    assert [needed in reason for reason in invalid] == [True] if needed else invalid == ()


@pytest.mark.parametrize(("held_back", "reasons"), [(0, 1), (500, 0)])
def test_a_request_that_waits_for_a_connection_is_not_the_clients_lateness(observed, held_back, reasons):
    sent = samples(1000, 3.0)
    late = replace(sent, sent_s=sent.sent_s + 0.005)
    assert len(observed(late, client=replace(CALM, held_back=held_back)).invalid) == reasons


def test_a_load_without_a_single_request_is_observed_too(observed):
    seen = observed(samples(1000, 1.0), window=(1.0, 1.0), limits=LIMITS)
    assert (seen.measurement.requests, seen.verdict) == (0, Verdict.UNDECIDED)
    assert seen.invalid[0].startswith(FEW)


def one(*invalid):
    seen = trials.observation(samples(100, 3.0), (1.0, 3.0))
    return replace(seen, invalid=invalid)


@pytest.mark.parametrize(
    ("loads", "invalid", "repeated", "loaded_s"),
    [
        pytest.param([one()], (), (), 3.0, id="valid at once"),
        pytest.param([one("a"), one()], (), ("a",), 6.0, id="valid the second time"),
        pytest.param([one("a"), one("b")], ("b",), ("a",), 6.0, id="never: not a third time"),
    ],
)
def test_what_cannot_be_trusted_is_observed_once_more(loads, invalid, repeated, loaded_s):
    left, heard = list(loads), []
    seen = observe_again(lambda: left.pop(0), heard.append)
    assert (seen.invalid, seen.repeated, seen.loaded_s) == (invalid, repeated, loaded_s)
    assert (left, heard) == ([], loads[:1] if repeated else [])


def test_what_failed_altogether_is_not_observed_again():
    nothing = replace(trials.observation(samples(100, 3.0, lambda _: Outcome.BROKEN), (1.0, 3.0)), invalid=("few",))
    left = [nothing]
    assert observe_again(lambda: left.pop(0)) is nothing


def test_failures_are_in_the_verdict():
    sent = samples(1000, 3.0, lambda index: Outcome.TIMEOUT if index % 10 == 0 else Outcome.OK)
    assert trials.observation(sent, (1.0, 3.0), LIMITS).verdict is Verdict.FAIL
