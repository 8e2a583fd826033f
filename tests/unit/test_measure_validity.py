"""Whether a measurement can be trusted, on both sides of every threshold."""

import math
from dataclasses import replace

import pytest

from orchestrator.measure.validity import RULES, Circumstances, invalid_reasons

FINE = Circumstances(
    successes=10_000,
    duration_s=10.0,
    percentiles=(99,),
    latency_p99_ms=50.0,
    throughput_rps=1_000.0,
    send_lag_p99_ms=0.4,
    held_back_share=0.0,
    client_cpu_share=0.3,
    client_waiting_share=0.02,
    outlasting_share=0.0,
    throughput_drift=0.01,
    machine_busy_share=0.8,
    steal_share=0.0,
    others_cpu_share=0.02,
    ceiling_rps=4_000.0,
)

# rule: (what makes it fire, what just does not, words that have to be in the reason)
THRESHOLDS = {
    "late: a tenth of the p99": (
        {"send_lag_p99_ms": 5.0},
        {"send_lag_p99_ms": 4.99},
        ["the client was late", "5 ms", "10% of the response time's p99 of 50 ms", "load.clients"],
    ),
    "late: at least a millisecond": (
        {"send_lag_p99_ms": 1.0, "latency_p99_ms": 4.0},
        {"send_lag_p99_ms": 0.99, "latency_p99_ms": 4.0},
        ["the client was late", "25%"],
    ),
    "late: where only means were asked for, a tenth of the mean": (
        {"means_only": True, "send_lag_p99_ms": 30.0, "send_lag_mean_ms": 2.0, "latency_mean_ms": 20.0},
        {"means_only": True, "send_lag_p99_ms": 30.0, "send_lag_mean_ms": 1.9, "latency_mean_ms": 20.0},
        ["the client was late", "2 ms", "10% of the response time's mean of 20 ms", "load.clients"],
    ),
    "late: unless the server held all connections": (
        {"send_lag_p99_ms": 40.0, "held_back_share": 0.01},
        {"send_lag_p99_ms": 40.0, "held_back_share": 0.011},
        ["the client was late"],
    ),
    "client CPU": ({"client_cpu_share": 0.9}, {"client_cpu_share": 0.89}, ["90% of its core", "load.clients"]),
    "drift: rising": (
        {"throughput_drift": 0.11},
        {"throughput_drift": 0.1},
        ["still drifting", "rose by 11%", "measure.warmup_s"],
    ),
    "drift: falling": (
        {"throughput_drift": -0.5},
        {"throughput_drift": -0.1},
        ["fell by 50%"],
    ),
    "outlasting": (
        {"outlasting_share": 0.33},
        {"outlasting_share": 0.05},
        ["some clients waited all the time", "33% of the requests under way", "max_ongoing_requests"],
    ),
    "too few for the p99": (
        {"successes": 458},
        {"successes": 459},
        ["458 requests succeeded", "the p99 needs 459", "about 11 s", "measure.max_s"],
    ),
    "too few for the p90": ({"successes": 43, "percentiles": (90,)}, {"successes": 44, "percentiles": (90,)}, ["p90"]),
    "too few for the most demanding": (
        {"successes": 458, "percentiles": (50, 99, 90)},
        {"successes": 459, "percentiles": (50, 99, 90)},
        ["the p99 needs 459"],
    ),
    "too few for anything": (
        {"successes": 19, "percentiles": ()},
        {"successes": 20, "percentiles": ()},
        ["any figure needs 20"],
    ),
    "steal": ({"steal_share": 0.05}, {"steal_share": 0.049}, ["another machine took 5%", "steal"]),
    "crowded: others": (
        {"machine_busy_share": 1.0, "others_cpu_share": 0.11},
        {"machine_busy_share": 1.0, "others_cpu_share": 0.1},
        ["other processes took the machine", "11%", "100% busy"],
    ),
    "crowded: saturated": (
        {"machine_busy_share": 0.91, "others_cpu_share": 0.4},
        {"machine_busy_share": 0.9, "others_cpu_share": 0.4},
        ["other processes took the machine"],
    ),
    "starved": (
        {"client_waiting_share": 0.1, "others_cpu_share": 0.2},
        {"client_waiting_share": 0.09, "others_cpu_share": 0.2},
        ["the client was starved", "10% of the time", "20% of the machine"],
    ),
    "starved: by others": (
        {"client_waiting_share": 0.5, "others_cpu_share": 0.11},
        {"client_waiting_share": 0.5, "others_cpu_share": 0.1},
        ["the client was starved"],
    ),
    "ceiling": (
        {"throughput_rps": 3_800.0},
        {"throughput_rps": 3_799.0},
        ["at the client/proxy ceiling", "3,800 requests/s are 95% of the 4,000", "cluster.data_plane"],
    ),
}


def test_a_measurement_under_good_circumstances_is_valid():
    assert invalid_reasons(FINE) == ()


@pytest.mark.parametrize(("broken", "kept", "words"), THRESHOLDS.values(), ids=THRESHOLDS)
def test_a_rule_speaks_from_its_threshold_on(broken, kept, words):
    assert invalid_reasons(replace(FINE, **kept)) == ()
    (reason,) = invalid_reasons(replace(FINE, **broken))
    assert not [word for word in words if word not in reason], reason


def test_every_rule_is_tested():
    broken = [replace(FINE, **changes) for changes, _, _ in THRESHOLDS.values()]
    assert {rule.name for rule in RULES for one in broken if rule.reason(one)} == {rule.name for rule in RULES}


def test_what_is_unknown_is_not_held_against_a_measurement():
    assert invalid_reasons(Circumstances(successes=20)) == ()


NOT_NEEDED = {"duration_s", "held_back_share"}  # the first only adds to a reason, the second only takes one back


@pytest.mark.parametrize("name", [n for n, v in vars(FINE).items() if isinstance(v, float) and n not in NOT_NEEDED])
def test_a_rule_is_silent_without_one_of_its_figures(name):
    broken = [{**changes, name: math.nan} for changes, _, _ in THRESHOLDS.values() if name in changes]
    assert not [changes for changes in broken if invalid_reasons(replace(FINE, **changes))]


def test_all_reasons_are_given_and_causes_come_first():
    starved = replace(
        FINE, machine_busy_share=1.0, others_cpu_share=0.5, client_waiting_share=0.4, send_lag_p99_ms=20.0
    )
    first, second, third = invalid_reasons(starved)
    assert "took the machine" in first
    assert "starved" in second
    assert "late" in third


@pytest.mark.parametrize("ceiling", [0.0, math.inf])
def test_a_ceiling_that_says_nothing_is_never_reached(ceiling):
    assert invalid_reasons(replace(FINE, ceiling_rps=ceiling)) == ()


def test_without_a_success_there_is_a_reason_and_no_guess_how_long_it_would_take():
    (reason,) = invalid_reasons(Circumstances(successes=0, duration_s=5.0, percentiles=(99,)))
    assert "measure for longer" in reason
