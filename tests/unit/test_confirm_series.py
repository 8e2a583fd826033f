"""Which trials are measured again, and in which order."""

from __future__ import annotations

import pytest

from orchestrator.confirmation import Cell, Contender, Series, line_up
from orchestrator.confirmation.series import interleaved
from orchestrator.result import Score, Status

COMPLETE, INVALID, FAILED = Status.COMPLETE, Status.INVALID, Status.FAILED


def contender(number, value, violation=0.0, shown=True, batch=None):
    return Contender(number, {"batch": number if batch is None else batch}, Score(value, violation, shown))


def series(line, baseline, top, replications, violation=0.0, most=6, maximize=True):
    """Of trials that stand in line in this order."""
    contenders = [contender(number, 100.0 - place, violation) for place, number in enumerate(line)]
    return Series(contenders, baseline, top, replications, most, maximize)


KEPT, BROKEN, LESS_BROKEN = Score(1.0, 0.0), Score(1.0, 0.2), Score(1.0, 0.1)


def order(series, ends=lambda cell: (COMPLETE, KEPT)):
    """The trials in the order in which they are measured again; `ends` gives (status, score) of a replication."""
    cells = []
    while (cell := series.next) is not None:
        assert series.next == cell, "asking changes nothing"
        cells.append(cell)
        series.tell(cell, *ends(cell))
        assert len(cells) < 100, "it goes on for ever"
    return cells


def numbers(cells):
    return [cell.confirms for cell in cells]


def test_candidates_come_back_and_forth():
    turns = list(interleaved("ABC", range(4)))
    assert "".join(one for one, _ in turns) == "ABCCBAABCCBA"
    assert [replication for _, replication in turns] == [0] * 3 + [1] * 3 + [2] * 3 + [3] * 3


def test_the_best_and_the_baseline_take_part_each_as_often():
    cells = order(series([7, 12, 3, 5], baseline=0, top=2, replications=3))
    assert numbers(cells) == [7, 12, 0, 0, 12, 7, 7, 12, 0]
    assert cells[:4] == [Cell(7, 0), Cell(12, 0), Cell(0, 0), Cell(0, 1)]


@pytest.mark.parametrize(
    ("line", "baseline", "top", "expected"),
    [
        pytest.param([4, 0, 2], 0, 2, {4, 0}, id="the baseline is one of the best"),
        pytest.param([4, 2], None, 2, {4, 2}, id="the baseline does not work"),
        pytest.param([4], 0, 3, {4, 0}, id="fewer than may take part"),
        pytest.param([0], 0, 3, set(), id="the baseline alone"),
        pytest.param([4], None, 3, set(), id="one trial alone"),
        pytest.param([4, 2], 0, 0, set(), id="switched off"),
        pytest.param([], 0, 3, set(), id="nothing was measured"),
    ],
)
def test_who_takes_part(line, baseline, top, expected):
    assert set(numbers(order(series(line, baseline, top, 3)))) == expected


@pytest.mark.parametrize("status", [FAILED, INVALID, Status.INFEASIBLE])
def test_a_replication_without_figures_to_trust_is_repeated_once_and_then_given_up(status):
    def ends(cell):
        return (status, None) if cell == Cell(7, 1) else (COMPLETE, KEPT)

    cells = order(series([7], 0, 1, 3), ends)
    assert cells.count(Cell(7, 1)) == 2
    assert len(cells) == 7
    assert cells.index(Cell(7, 1)) + 1 == cells.index(Cell(7, 2)) - 1, "at once, before its block is over"


def test_a_trial_that_breaks_the_slo_gives_its_place_to_the_next_in_line_which_catches_up():
    cells = order(series([7, 12, 3], 0, 2, 3), lambda cell: (COMPLETE, BROKEN if cell == Cell(7, 1) else KEPT))
    assert numbers(cells) == [7, 12, 0, 0, 12, 7, 3, 3, 3, 12, 0]
    assert [cell.replication for cell in cells if cell.confirms == 3] == [0, 1, 2]


def test_the_baseline_stays_whatever_it_does_to_the_slo():
    cells = order(series([7, 12], 0, 1, 3), lambda cell: (COMPLETE, BROKEN if cell.confirms == 0 else KEPT))
    assert numbers(cells) == [7, 0, 0, 7, 7, 0]


def test_when_nobody_is_left_who_could_win_it_is_over():
    cells = order(series([7, 12, 3, 5, 6, 8], 0, 2, 3), lambda cell: (COMPLETE, BROKEN))
    assert numbers(cells) == [7, 3, 5, 12, 0]  # as many again as there were places, and the baseline


def test_a_baseline_that_is_left_alone_has_to_show_as_much_as_any_winner():
    scores = closeness(90, NEAR)
    cells = order(
        series([7, 12], 0, 1, 3, most=5),
        lambda cell: (COMPLETE, BROKEN if cell.confirms else scores(cell.replication)),
    )
    assert numbers(cells) == [7, 12, 0, 0, 0, 0, 0]


def test_who_did_not_keep_the_slo_before_takes_nobodys_place():
    cells = order(
        series([7, 12, 3], 0, 2, 3, violation=0.1), lambda cell: (COMPLETE, LESS_BROKEN if cell.confirms else KEPT)
    )
    assert numbers(cells) == [7, 12, 0, 0, 0]


NEAR, FAR = (-0.2, -0.01, -0.02), (-0.6, -0.62, -0.61)
"""Room below the limit: as much as it varies by, and plenty."""


def closeness(value, rooms):
    """Scores of a trial whose replications have this room in turn."""
    return lambda replication: Score(value, 0.0, excess=rooms[replication % len(rooms)])


@pytest.mark.parametrize(
    ("scores", "maximize", "further"),
    [
        pytest.param({7: closeness(90, FAR), 12: closeness(80, FAR)}, True, set(), id="all shown"),
        pytest.param({7: closeness(90, NEAR), 12: closeness(80, FAR)}, True, {7}, id="the best in doubt"),
        pytest.param({7: closeness(90, FAR), 12: closeness(80, NEAR)}, True, set(), id="another in doubt"),
        pytest.param({7: closeness(90, FAR), 12: closeness(80, NEAR)}, False, {12}, id="where less is better"),
        pytest.param({7: closeness(90, NEAR), 12: closeness(80, NEAR)}, True, {7, 12}, id="all in doubt"),
        pytest.param({7: lambda replication: KEPT, 12: lambda replication: KEPT}, True, set(), id="no limit"),
        pytest.param(
            {7: lambda replication: Score(90, 0.0, shown=False, excess=-0.1), 12: closeness(80, FAR)},
            True,
            set(),
            id="undecided one by one, and sure together",
        ),
    ],
)
def test_who_might_win_if_it_were_shown_to_keep_the_slo_goes_on(scores, maximize, further):
    scores = {**scores, 0: closeness(10 if maximize else 100, FAR)}
    cells = order(
        series([7, 12], 0, 2, 3, most=5, maximize=maximize),
        lambda cell: (COMPLETE, scores[cell.confirms](cell.replication)),
    )
    assert len(cells[:9]) == 9
    assert {cell.confirms for cell in cells[9:]} == further
    assert all(cell.replication in (3, 4) for cell in cells[9:])


def test_going_on_ends_when_there_is_room_enough_or_the_slo_is_broken():
    rooms = [*NEAR, -0.4, -0.4, -0.4, -0.4, -0.4, -0.4]
    scores = {7: closeness(90, rooms), 12: closeness(95, NEAR), 0: closeness(10, FAR)}

    def ends(cell):
        broken = cell == Cell(12, 4)
        return COMPLETE, BROKEN if broken else scores[cell.confirms](cell.replication)

    further = order(series([7, 12], 0, 2, 3, most=9), ends)[9:]
    assert further == [Cell(12, 3), Cell(7, 3), Cell(7, 4), Cell(12, 4), Cell(7, 5)], "of twelve that there might be"


def test_the_line_is_in_order_of_the_promise_and_then_of_the_figure():
    contenders = [
        contender(1, 50),
        contender(2, 90, shown=False),
        contender(3, 70),
        contender(4, 99, violation=0.1),
        contender(5, 70),
    ]
    assert [one.number for one in line_up(contenders, maximize=True)] == [3, 5, 1, 2]
    assert [one.number for one in line_up(contenders, maximize=False)] == [1, 3, 5, 2]


def test_where_none_keeps_the_slo_those_nearest_to_it_line_up():
    contenders = [contender(1, 50, violation=0.5), contender(2, 90, violation=0.1), contender(3, 70, violation=2.0)]
    assert [one.number for one in line_up(contenders, maximize=True)] == [2, 1, 3]


def test_a_configuration_that_was_measured_twice_stands_in_line_once():
    contenders = [contender(1, 50, batch=8), contender(2, 90, batch=8), contender(3, 70, batch=4)]
    assert [one.number for one in line_up(contenders, maximize=True)] == [2, 3]
