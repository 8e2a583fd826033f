import math

import pytest

from orchestrator.search.history import History, observe


def report(value=1.0, violation=0.0, status="COMPLETE", **more):
    return {"status": status, "value": value, "violation": violation, **more}


def seen(k, value=1.0, violation=0.0, maximize=(True,), **more):
    return observe({"k": k}, report(value, violation, **more), maximize)


@pytest.mark.parametrize(
    ("told", "figures", "violation"),
    [
        pytest.param(report(), True, 0.0, id="within the SLO"),
        pytest.param(report(violation=0.5), True, 0.5, id="SLO violated"),
        pytest.param(report(values=None), True, 0.0, id="values not told"),
        pytest.param(report(values=[1.0]), True, 0.0, id="values told"),
        pytest.param(report(values=[1.0, 2.0]), False, 0.0, id="values of another study"),
        pytest.param(report(math.nan, 1000.0), False, 1000.0, id="no request succeeded"),
        pytest.param(report(None), False, 0.0, id="no value"),
        pytest.param(report(violation=None), False, None, id="no violation"),
        pytest.param(report(violation=math.nan), False, None, id="violation not known"),
        pytest.param(report(status="INVALID"), False, None, id="invalid"),
        pytest.param(report(None, None, "FAILED"), False, None, id="failed"),
        pytest.param({}, False, None, id="lost"),
    ],
)
def test_only_what_was_measured_is_a_figure(told, figures, violation):
    observation = observe({"k": 1}, told, [True])
    assert (observation.losses is not None) is figures
    assert observation.violation == violation
    assert math.isfinite(observation.loss)


def test_every_objective_is_minimised_in_its_own_direction():
    better = seen(1, 5.0, maximize=[True, False], values=[5.0, 2.0])
    worse = seen(2, 4.0, maximize=[True, False], values=[4.0, 3.0])
    assert all(mine < theirs for mine, theirs in zip(better.losses, worse.losses, strict=True))


def keys(observations):
    return [observation.configuration["k"] for observation in observations]


def test_what_is_being_measured_is_known_and_under_way_until_it_ends():
    history = History()
    history.start({"k": 1})
    history.start({"k": 2})
    assert list(history.under_way()) == [{"k": 1}, {"k": 2}]
    history.finish(seen(1))
    assert list(history.under_way()) == [{"k": 2}]
    assert len(history) == 2
    assert keys(history.selection(10)) == [1]


def test_a_selection_is_the_better_and_the_later_half_in_order_of_age():
    history = History()
    for number, value in enumerate([9, 1, 8, 2, 3, 4, 5, 6]):
        history.finish(seen(number, float(value)))
    assert keys(history.selection(8)) == list(range(8))
    assert keys(history.selection(4)) == [0, 2, 6, 7]


def test_what_no_other_beats_stays_selected():
    history = History()
    values = [(3.0, 3.0), (1.0, 9.0), (9.0, 1.0), (2.0, 2.0), (4.0, 4.0), (2.0, 1.0), (1.0, 2.0), (1.0, 1.0)]
    for number, both in enumerate(values):
        history.finish(seen(number, both[0], maximize=[True, True], values=list(both)))
    history.finish(seen(8, 99.0, 0.5, maximize=[True, True], values=[99.0, 99.0]))  # violates the SLO
    assert keys(history.selection(4)) == [1, 2, 4, 7, 8]


def test_an_earlier_studys_figure_counts_until_this_study_has_its_own():
    history = History()
    for k, value in ((1, 10.0), (2, 20.0), (2, 30.0)):
        history.inform(seen(k, value))
    assert list(history.recommended()) == [{"k": 2}]
    assert history.best().loss == seen(2, 30.0).loss
    assert len(history) == 0
    history.finish(seen(2, 5.0))
    assert keys(history.selection(10)) == [1, 2]
    assert history.best().configuration == {"k": 1}


def test_without_trials_there_is_no_best():
    assert History().best() is None
    assert list(History().recommended()) == []
