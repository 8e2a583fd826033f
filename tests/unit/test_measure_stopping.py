import math

import numpy as np
import pytest

from orchestrator.measure.race import Rival
from orchestrator.measure.samples import Outcome, Samples
from orchestrator.measure.steady import Steady
from orchestrator.measure.stopping import FIRST_LOOK_S, LOOK_GROWTH, Sequential, settled
from orchestrator.measure.verdict import Verdict
from tests.fakes.queues import independent, to_samples

MAX_S = 15.0


def rule(objective="throughput_rps", precision=0.05, limits=(), min_s=2.0, **changes):
    return Sequential(objective, precision, dict(limits), min_s, MAX_S, Steady(1.0, 5.0), **changes)


def steady(rate, seconds=MAX_S, latency_s=0.01, outcome=Outcome.OK):
    scheduled = np.arange(int(rate * seconds)) / rate
    latency = np.random.default_rng(0).uniform(0.9, 1.1, len(scheduled)) * latency_s
    return to_samples(scheduled, latency, outcome)


def poisson(rate, latency_s=0.01, seed=0):
    rng = np.random.default_rng(seed)
    return to_samples(*independent(rng, MAX_S, rate, lambda rng, n: rng.exponential(latency_s, n)))


def stops_at(rule, samples, start=0.0):
    """Length of the window when the rule has enough, asked every quarter of a second; infinite when it never has."""
    for now in np.arange(0.25, MAX_S + 0.01, 0.25):
        if rule.enough(samples.where(samples.done_s <= start + now), (start, start + now)):
            return float(now)
    return math.inf


P99 = {"latency_p99_ms": 20.0}


@pytest.mark.parametrize(
    ("rule", "samples", "earliest", "latest"),
    [
        pytest.param(rule(), steady(1000), 2.0, 2.25, id="precise after the minimum"),
        pytest.param(rule(precision=0.01), steady(1000), 2.0, 2.5, id="a clock is precise at once"),
        pytest.param(rule(precision=0.02), poisson(1000), 6.0, math.inf, id="noise takes time"),
        pytest.param(rule(precision=0.10), poisson(1000), 2.0, 2.5, id="less precision takes less"),
        pytest.param(rule(), steady(10), 10.0, 12.5, id="never with too few successes"),
        pytest.param(rule(limits=P99), steady(1000), 2.0, 4.0, id="passed and precise"),
        pytest.param(rule(limits=P99), steady(50), math.inf, math.inf, id="undecided: too few for p99"),
        pytest.param(rule(limits=P99), steady(1000, latency_s=0.1), 1.0, 1.25, id="a clear loser ends before min_s"),
        pytest.param(rule(limits=P99), steady(100, latency_s=0.1), 1.0, 1.5, id="a slow clear loser, too"),
        pytest.param(
            rule(limits=P99, fail_fast=False),
            steady(1000, latency_s=0.1),
            2.0,
            2.5,
            id="a loser that is to be measured",
        ),
        pytest.param(rule(limits={"error_ratio": 0.001}), steady(1000, outcome=1), 2.0, 2.5, id="nothing but errors"),
        pytest.param(rule(), steady(1000, outcome=Outcome.BROKEN), 2.0, 2.5, id="no success without a limit"),
        pytest.param(rule("goodput_rps", limits={"latency_p50_ms": 20}), steady(1000), 2.0, 2.5, id="goodput"),
        pytest.param(rule("latency_mean_ms"), poisson(1000), 2.0, 6.0, id="mean latency"),
        pytest.param(rule("latency_p99_ms", 0.1), poisson(1000), 3.0, math.inf, id="p99 takes longer"),
        pytest.param(rule("latency_p50_ms", 0.1), poisson(1000), 2.0, 2.5, id="than p50"),
        pytest.param(rule("latency_p75_ms", 0.1), poisson(1000), 2.0, 2.5, id="or p75"),
        pytest.param(rule("latency_max_ms", 0.5), steady(1000), math.inf, math.inf, id="a maximum is never precise"),
        pytest.param(
            rule(precision=0.01, open_loop=True), poisson(300), 2.0, 2.5, id="the rate of an open loop is given"
        ),
        pytest.param(rule(), steady(0), math.inf, math.inf, id="nothing at all"),
    ],
)
@pytest.mark.filterwarnings("error")
def test_it_is_enough_when_the_objective_is_known_and_the_limits_are_decided(rule, samples, earliest, latest):
    assert earliest <= stops_at(rule, samples) <= latest


@pytest.mark.parametrize(
    ("rule", "samples", "at", "ended"),
    [
        pytest.param(rule(requests=3000), steady(1000), 3.25, True, id="as soon as so many have ended"),
        pytest.param(rule(requests=5300), steady(1000), 5.5, True, id="between two looks, too"),
        pytest.param(rule(requests=1000), steady(1000), 2.0, True, id="not before the shortest window"),
        pytest.param(rule(requests=3000, precision=0.5), steady(1000), 3.25, True, id="whatever is known before"),
        pytest.param(rule(requests=1000, limits=P99), steady(100), 10.25, True, id="whatever is not known then"),
        pytest.param(rule(requests=3000), steady(100), math.inf, False, id="too slow: others end it"),
        pytest.param(rule(requests=3000, limits=P99), steady(1000, latency_s=0.1), 1.0, True, id="but for a loser"),
        pytest.param(
            rule(requests=3000, limits=P99, fail_fast=False), steady(1000, latency_s=0.1), 3.25, True, id="unless asked"
        ),
        pytest.param(rule(requests=3000), steady(1000, outcome=Outcome.TIMEOUT), 2.25, True, id="and for no success"),
    ],
)
def test_so_many_requests_are_enough_where_a_number_is_asked_for(rule, samples, at, ended):
    assert stops_at(rule, samples) == pytest.approx(at, abs=0.26)
    assert rule.ended == ended


def test_only_successes_of_the_window_are_among_the_requests():
    mixed = Samples.concat([steady(500), steady(500, outcome=Outcome.HTTP_ERROR)])
    assert stops_at(rule(requests=2000), mixed, start=1.0) == pytest.approx(4.0, abs=0.26)


BEST = Rival(value=1000.0, half_width=20.0, maximize=True)
QUICKEST = Rival(value=10.0, half_width=0.5, maximize=False)


@pytest.mark.parametrize(
    ("rule", "samples", "latest", "beaten"),
    [
        pytest.param(rule(rival=BEST), steady(500), 1.5, True, id="half as fast: over at the first looks"),
        pytest.param(rule(rival=BEST), poisson(500), 2.0, True, id="noise or not"),
        pytest.param(rule(rival=BEST), steady(950), 2.25, False, id="within the margin it is measured"),
        pytest.param(rule(rival=BEST), steady(2000), 2.25, False, id="the faster one is measured"),
        pytest.param(
            rule(rival=Rival(1000.0, 500.0, True)), steady(500), 15.0, False, id="nobody is beaten by what is not known"
        ),
        pytest.param(rule(rival=Rival(1000.0, math.nan, True)), steady(500), 15.0, False, id="nor by a NaN"),
        pytest.param(rule("latency_mean_ms", rival=QUICKEST), steady(500, latency_s=0.02), 1.5, True, id="slower"),
        pytest.param(rule("latency_p50_ms", 0.1, rival=QUICKEST), poisson(500, 0.05), 1.5, True, id="slower p50"),
        pytest.param(rule("latency_mean_ms", rival=QUICKEST), steady(500, latency_s=0.01), 15.0, False, id="as quick"),
        pytest.param(rule(rival=BEST, open_loop=True), poisson(1000), 2.5, False, id="a given rate is no rival"),
    ],
)
def test_who_is_beaten_for_certain_ends_early(rule, samples, latest, beaten):
    assert stops_at(rule, samples) <= latest
    assert rule.beaten == beaten


@pytest.mark.parametrize("objective", ["throughput_rps", "latency_mean_ms", "latency_p99_ms"])
def test_an_equal_is_hardly_ever_beaten(objective):
    alike = [poisson(500, 0.02, seed) for seed in range(30)]
    rivals = {"throughput_rps": Rival(500, 15, True), "latency_mean_ms": Rival(20, 0.6, False)}
    rival = rivals.get(objective, Rival(92.1, 6, False))
    rules = [rule(objective, 0.01, rival=rival) for _ in alike]
    for one, samples in zip(rules, alike, strict=True):
        stops_at(one, samples)
    assert sum(one.beaten for one in rules) <= 1


def test_the_warm_up_is_left_out():
    stormy = Samples.concat([steady(5000, 1, latency_s=1.0), steady(1000)])
    assert stops_at(rule(limits=P99), stormy) <= 1.5
    assert 2 <= stops_at(rule(limits=P99), stormy, start=1.0) <= 4


def test_looks_are_few_and_their_times_grow():
    asked = []

    class Watched(Sequential):
        def _is_precise(self, counted, window):
            asked.append(window[1])
            return False

    watched = Watched("throughput_rps", 0.05, {}, 0.0, MAX_S, Steady(0.0, 1.0))
    samples = steady(200)
    for now in np.arange(0.01, MAX_S, 0.01):
        watched.enough(samples, (0.0, now))
    assert asked[0] == pytest.approx(FIRST_LOOK_S, abs=0.02)
    assert len(asked) == 1 + int(math.log(MAX_S / FIRST_LOOK_S) / math.log(LOOK_GROWTH))
    assert min(np.diff(asked)) > 0.15


def test_a_limit_that_is_just_kept_is_hardly_ever_failed_at_any_look():
    limits = {"latency_p95_ms": -10 * math.log(0.05)}  # the truth
    ended = [stops_at(rule(limits=limits), poisson(150, seed=seed)) for seed in range(40)]
    assert sum(end < math.inf for end in ended) <= 2


def test_the_last_verdict_has_its_own_share_of_the_error():
    some = rule(limits=P99)
    assert some.verdicts(steady(1000), (0.0, 0.49)) == {"latency_p99_ms": Verdict.PASS}
    assert some.verdicts(steady(1000), (0.0, 0.47)) == {"latency_p99_ms": Verdict.UNDECIDED}  # 459 do at 99 %


def test_warm_up_is_asked_of_its_own_rule():
    assert not rule().warm(steady(1000), 0.5)
    assert rule().warm(steady(1000), 1.0)


def test_requests_too_young_to_be_answered_are_not_looked_at():
    answered = steady(1000, 4.5, latency_s=0.5)  # nothing later has ended by 5 s
    kept, window = settled(answered, (0.0, 5.0))
    assert window[1] == pytest.approx(4.45, abs=0.01)
    assert len(kept) == pytest.approx(4450, abs=10)


def test_answers_slower_than_the_window_leave_nothing_to_look_at():
    kept, (start, end) = settled(steady(1000, 1, latency_s=2.0), (0.0, 1.0))
    assert len(kept) == 0
    assert start == end == 0


@pytest.mark.parametrize(
    "changes", [{"precision": 0.0}, {"precision": -1.0}, {"min_s": -1.0}, {"min_s": MAX_S + 1}, {"min_s": math.nan}]
)
def test_a_rule_that_says_nothing_is_refused(changes):
    with pytest.raises(ValueError, match=r"precision|min_s"):
        rule(**changes)
