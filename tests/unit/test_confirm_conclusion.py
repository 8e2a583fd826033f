"""What replications say: the winner, its gain, and who cannot be told from it."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from orchestrator.confirmation import confirmed
from orchestrator.confirmation.simplicity import simpler, simplicity
from orchestrator.result import Score, Status, StudyResult, TrialResult
from tests.fakes.trials import observation, samples

MEASURED = observation(samples(100, 3.0), (1.0, 3.0)).measurement
LOST = "lost"


def config(replicas=1, batch=1, wait_s=0.0):
    options = {"max_batch_size": batch, "batch_wait_timeout_s": wait_s}
    return {"applications": [{"deployments": [{"name": "C", "num_replicas": replicas, "user_config": options}]}]}


def trial(number, value, export=None, **changes):
    measurement = replace(
        MEASURED, throughput_rps=value, items_per_s=value, latency_p99_ms=1000 / value if value else math.nan
    )
    scored = TrialResult(
        number,
        {"k": number},
        Status.COMPLETE,
        measurement=measurement,
        score=Score(value, 0.0),
        export_config=export or {},
    )
    return replace(scored, **changes)


def again(confirms, replication, value, number):
    """A replication; of ("over", value) the SLO is broken, of ("open", value) not shown; -0.3 is 30 % of room."""
    if value == LOST:
        lost = TrialResult(number, {}, Status.INVALID, ("the client was late",))
        return replace(lost, confirms=confirms, replication=replication)
    how, value = value if isinstance(value, tuple) else ("kept", value)
    room = how if isinstance(how, float) else math.nan
    score = Score(value, 0.5 if how == "over" else 0.0, shown=how != "open", excess=room)
    return trial(number, value, score=score, confirms=confirms, replication=replication)


def study(values, exports=None, maximize=True):
    """`values` are {trial: its figures, one a replication, None where there was none}."""
    cells = [(number, at, value) for number, row in values.items() for at, value in enumerate(row) if value is not None]
    return confirmed(
        StudyResult(
            "1",
            "x",
            "random",
            0,
            maximize,
            "throughput_rps",
            trials=tuple(trial(number, 100.0 + number, (exports or {}).get(number)) for number in values),
            replications=tuple(again(*cell, number=50 + index) for index, cell in enumerate(cells)),
        )
    )


CLEAR = {7: [1000, 1010, 990], 12: [500, 507, 494], 0: [100, 101, 99.2]}


def test_the_winner_is_the_best_of_the_replications_and_not_of_the_search():
    found = study(CLEAR)
    assert (found.best.number, found.recommended.number) == (7, 7)
    assert max(found.trials, key=lambda one: one.score.value).number == 12
    assert [one.number for one in found.confirmation.candidates] == [7, 12, 0]
    assert (found.confirmation.replications, found.confirmation.indistinguishable) == (3, ())


def test_where_less_is_better_the_lowest_wins():
    found = study(CLEAR, maximize=False)
    assert found.best.number == 0
    assert [one.number for one in found.confirmation.candidates] == [0, 12, 7]
    assert found.confirmation.candidates[1].of_best.value == pytest.approx(5, rel=0.01)


def test_the_gain_over_the_baseline_has_its_interval_and_confidence():
    gain = study(CLEAR).gain
    assert gain["throughput"].value == pytest.approx(10, rel=0.01)
    assert 9.5 < gain["throughput"].lo < gain["throughput"].value < gain["throughput"].hi < 10.5
    assert gain["throughput"].confidence == 0.99
    assert gain["p99"].value == pytest.approx(gain["throughput"].value)  # here a p99 is 1000 / throughput
    assert gain["p99"].lo == pytest.approx(gain["throughput"].lo)


def test_without_replications_the_gain_is_a_ratio_and_nobody_knows_how_sure():
    throughput = study({7: [], 0: []}).gain["throughput"]
    assert throughput.value == pytest.approx(107 / 100)
    assert math.isnan(throughput.lo)
    assert math.isnan(throughput.confidence)


def test_a_candidate_says_its_typical_figure_its_interval_and_how_it_compares_with_the_best():
    best, second, baseline = study(CLEAR).confirmation.candidates
    assert (best.number, best.replications, best.kept, best.of_best) == (7, 3, 3, None)
    assert best.value == pytest.approx(1000, rel=1e-3)
    assert best.interval.lo < 1000 < best.interval.hi
    assert second.of_best.lo < 0.5 < second.of_best.hi < 0.52
    assert baseline.of_best.value == pytest.approx(0.1, rel=0.01)


NEAR = {7: [1000, 1030, 990], 12: [1010, 1000, 1000], 0: [100, 103, 99]}


@pytest.mark.parametrize(
    ("seven", "twelve", "recommended", "reason"),
    [
        pytest.param(config(1, 32), config(2, 8), 7, "fewer replicas", id="replicas before batches"),
        pytest.param(config(1, 32), config(1, 16, 0.1), 12, "smaller batches", id="batches before the wait"),
        pytest.param(config(1, 8, 0.01), config(1, 8, 0.001), 12, "a shorter wait", id="the wait"),
        pytest.param(config(1, 8), config(1, 8), 7, "none is simpler, and its figures are the best", id="alike"),
        pytest.param({}, {}, 7, "none is simpler, and its figures are the best", id="nothing is known"),
    ],
)
def test_of_those_that_cannot_be_told_apart_the_simplest_is_recommended(seven, twelve, recommended, reason):
    found = study(NEAR, {7: seven, 12: twelve})
    assert found.best.number == 7
    assert found.confirmation.indistinguishable == (7, 12)
    assert (found.recommended.number, found.confirmation.reason) == (recommended, reason)


def test_a_difference_that_is_sure_but_small_does_not_tell_apart():
    assert study({7: [1000, 1000.1, 1000], 12: [985, 985.1, 985], 0: [10, 10, 10]}).confirmation.indistinguishable
    assert not study({7: [1000, 1000.1, 1000], 12: [970, 970.1, 970], 0: [10, 10, 10]}).confirmation.indistinguishable


def test_the_baseline_may_be_as_good_as_the_best_and_then_it_is_the_simplest():
    found = study({7: [1000, 1030, 990], 0: [1005, 1000, 1000]}, {7: config(2), 0: config(1)})
    assert found.confirmation.indistinguishable == (7, 0)
    assert found.recommended.number == 0


@pytest.mark.parametrize(
    ("seven", "best"),
    [
        pytest.param([1000, ("over", 1010), 990], 12, id="broken once"),
        pytest.param([("over", 1000)], 12, id="broken at once, and not measured again"),
        pytest.param([1000, ("open", 1010), 990], 7, id="mostly shown"),
        pytest.param([("open", 1000), ("open", 1010), 990], 12, id="mostly not shown"),
        pytest.param([1000], 12, id="measured once only"),
        pytest.param([1000, LOST, 990], 7, id="lost once"),
    ],
)
def test_who_breaks_the_slo_once_or_was_hardly_measured_does_not_win(seven, best):
    found = study({**CLEAR, 7: seven})
    assert found.best.number == best
    assert 7 not in found.confirmation.indistinguishable


@pytest.mark.parametrize(
    ("rooms", "best"),
    [
        pytest.param([-0.1, -0.11, -0.09], 7, id="much room, little chance"),
        pytest.param([-0.01, -0.012, -0.008], 7, id="little room, less chance"),
        pytest.param([-0.02, -0.001, -0.15], 12, id="no more room than chance takes"),
    ],
)
def test_a_winner_leaves_room_for_chance_below_the_limit(rooms, best):
    of_seven = list(zip(rooms, [1000, 1010, 990], strict=True))
    of_twelve = [(-0.5, 500), (-0.501, 507), (-0.499, 494)]
    found = study({7: of_seven, 12: of_twelve, 0: [100, 101, 99.2]})
    assert found.best.number == best
    assert found.confirmation.indistinguishable == ()


def test_where_nobody_leaves_room_the_best_wins_all_the_same():
    close = [-0.02, -0.001, -0.15]
    values = {7: [1000, 1010, 990], 12: [500, 507, 494]}
    found = study({number: list(zip(close, every, strict=True)) for number, every in values.items()})
    assert found.best.number == 7
    assert not found.confirmation.candidates[0].shown


def test_figures_that_are_not_sure_of_the_slo_do_not_stand_beside_those_that_are():
    found = study({**NEAR, 12: [("open", 1010), ("open", 1000), 1000]}, {7: config(2), 12: config(1)})
    assert (found.best.number, found.recommended.number) == (7, 7)
    assert found.confirmation.indistinguishable == ()


@pytest.mark.parametrize(
    ("values", "is_confirmation"),
    [
        pytest.param({7: [("over", 900)], 12: [("over", 800)], 0: [100]}, True, id="all broken"),
        pytest.param({7: [900], 12: [("over", 800)], 0: [100]}, False, id="interrupted"),
        pytest.param({7: [LOST, LOST], 0: [100, 100]}, True, id="nothing but the baseline"),
    ],
)
def test_replications_that_leave_nobody_say_that_there_is_no_winner(values, is_confirmation):
    found = study(values)
    assert (found.confirmation is not None) is is_confirmation
    if is_confirmation:
        assert found.best is found.recommended is None
        assert found.gain == {}


def test_a_baseline_that_breaks_the_slo_is_what_the_gain_is_over_all_the_same():
    found = study({**CLEAR, 0: [("over", 100), ("over", 101), ("over", 99)]})
    assert found.gain["throughput"].value == pytest.approx(10, rel=0.01)


def test_without_a_baseline_there_is_no_gain():
    assert study({7: [1000, 1010, 990], 12: [500, 507, 494]}).gain == {}


def test_missing_replications_are_told():
    found = study({**CLEAR, 12: [500, LOST, 494], 0: [100, LOST, LOST]})
    assert found.confirmation.remarks == (
        "trial 12 has 2 of 3 replications: the client was late",
        "the baseline has 1 of 3 replications: the client was late",
    )


def test_a_figure_of_zero_is_none_to_compare_by():
    found = study({**CLEAR, 12: [("over", 0.0)] * 3})  # no rate at all kept the SLO
    assert found.best.number == 7
    assert found.gain["throughput"].value == pytest.approx(10, rel=0.01)


def noisy(levels, chance, seed, blocks=3):
    """A study whose trials have these figures (as logarithms), with chance as a share of them."""
    rng = np.random.default_rng(seed)
    common = rng.normal(0, 0.05, blocks)
    return study({n: np.exp(level + common + rng.normal(0, chance, blocks)) for n, level in levels.items()})


def share(of, levels, chance, studies=60):
    return sum(of(noisy(levels, chance, seed)) for seed in range(studies)) / studies


def is_told(number):
    return lambda found: found.best.number != number and number not in found.confirmation.indistinguishable


@pytest.mark.parametrize(
    ("levels", "chance", "least", "most"),
    [
        pytest.param({7: 5.0, 12: 5.0, 3: 5.0, 0: 3.0}, 0.05, 0, 0.05, id="as good as the best"),
        pytest.param({7: 5.0, 12: 4.9802, 3: 5.0, 0: 3.0}, 0.02, 0, 0.05, id="2 % worse"),
        pytest.param({7: 5.0, 12: 4.89, 3: 5.0, 0: 3.0}, 0.02, 0.9, 1, id="10 % worse"),
    ],
)
def test_who_is_as_good_as_the_best_is_seldom_told_from_it_and_who_is_worse_mostly(levels, chance, least, most):
    assert least <= share(is_told(12), levels, chance) <= most


def test_the_gains_interval_holds_the_truth_although_the_winner_was_chosen_by_the_same_figures():
    def holds(found):
        return found.gain["throughput"].lo <= math.exp(2.0) <= found.gain["throughput"].hi

    assert share(holds, {7: 5.0, 12: 5.0, 3: 5.0, 0: 3.0}, 0.03, studies=150) >= 0.97


@pytest.mark.parametrize(
    ("deployment", "expected"),
    [
        pytest.param({"num_replicas": 3}, (3, 0, 0), id="replicas"),
        pytest.param({}, (1, 0, 0), id="Serve's default"),
        pytest.param({"autoscaling_config": {"max_replicas": 2}}, (math.inf, 0, 0), id="scales by itself"),
        pytest.param({"user_config": {"max_batch_size": 8, "batch_wait_timeout_s": 0.01}}, (1, 8, 0.01), id="batches"),
    ],
)
def test_simplicity_is_read_from_the_config(deployment, expected):
    assert simplicity({"applications": [{"deployments": [{"name": "C", **deployment}]}]}) == expected


def test_replicas_of_all_deployments_count():
    two = [{"name": "A", "num_replicas": 2, "user_config": {"max_batch_size": 4}}, {"name": "B", "num_replicas": 3}]
    assert simplicity({"applications": [{"deployments": two}]}) == (5, 4, 0)
    assert simpler(simplicity({}), simplicity({})) == ""
