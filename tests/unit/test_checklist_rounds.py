"""Who is measured when: everybody once, then in turn those of whom it is not known that they are worth nothing."""

import pytest

from orchestrator.checklist import Candidate, Rounds
from orchestrator.checklist.items import BATCHING, FP16, INT8, PADDING
from orchestrator.result import Score, Status
from tests.fakes.checklists import Measured

BATCH = Candidate(BATCHING, {"batch": 8})
LARGER = Candidate(BATCHING, {"batch": 32})
HALF = Candidate(FP16, {"args.precision": "fp16"}, asks="precision")
BYTES = Candidate(INT8, {"args.precision": "int8"}, asks="precision")
PADDED = Candidate(PADDING, {"args.padding": "longest"}, asks="padding")
UNKNOWN = (Status.FAILED, "ValueError: args.no_such_argument is True, but there is no such key")
REFUSED = (Status.FAILED, "ValueError: args.precision is 'fp16', but there is no such key")


def rounds(*candidates, **options):
    return Rounds(candidates, maximize=True, precision=0.05, **options)


def turns_of(came, *candidates, most=1000, **options):
    measured = Measured(came)
    measured.study(rounds(*candidates, **options), most)
    return measured.turns


def test_the_baseline_and_the_candidates_take_turns_back_and_forth():
    turns = turns_of({1: 150.0, 2: 130.0}, BATCH, LARGER)
    assert turns == [(0, 0), (1, 0), (2, 0), (2, 1), (1, 1), (0, 1), (0, 2), (1, 2), (2, 2)]


def test_what_no_application_takes_is_asked_for_where_others_may_be_unknown():
    asked = rounds(BATCH, HALF)
    assert asked.configurations == {
        0: {},
        1: {"args.no_such_argument": True},
        2: {"batch": 8},
        3: {"args.precision": "fp16"},
    }
    assert rounds(BATCH).control is None


LEAVE = {
    "who cannot be deployed": ({1: REFUSED}, [(0, 0), (1, 0)]),
    "who cannot be had here": ({1: (Status.INFEASIBLE, "no GPU")}, [(0, 0), (1, 0)]),
    "who is clearly worse": ({1: 60.0}, [(0, 0), (1, 0)]),
    "who is clearly not worth it, as soon as that is known": ({1: 101.0}, [(0, 0), (1, 0)]),
    "who breaks the promise that the baseline keeps": ({1: (150.0, 0.2)}, [(0, 0), (1, 0)]),
    "everybody, without a baseline": ({0: (Status.FAILED, "it broke")}, [(0, 0)]),
}


@pytest.mark.parametrize(("came", "turns"), LEAVE.values(), ids=LEAVE)
def test_who_leaves(came, turns):
    assert turns_of(came, BATCH) == turns


def test_who_breaks_what_the_baseline_does_not_keep_either_stays():
    assert turns_of({0: (100.0, 0.5), 1: (150.0, 0.2)}, BATCH)[-1] == (1, 2)


def test_who_cannot_be_trusted_has_another_try():
    invalid = (Status.INVALID, "another process took 40 % of the CPU")
    assert turns_of({1: invalid}, BATCH) == [(0, 0), (1, 0), (1, 1), (0, 1)]


def test_an_application_that_takes_everything_without_a_word_is_not_asked_any_further():
    assert turns_of({1: 100.0, 2: 150.0}, BATCH, HALF, BYTES)[:4] == [(0, 0), (1, 0), (2, 0), (2, 1)]


def test_an_argument_that_is_not_taken_is_asked_for_once():
    assert turns_of({1: UNKNOWN, 2: REFUSED}, HALF, BYTES, PADDED) == [(0, 0), (1, 0), (2, 0), (4, 0)]


def test_a_value_that_is_not_to_be_had_says_nothing_of_others():
    infeasible = (Status.INFEASIBLE, "no processor here computes in fp16")
    assert turns_of({1: UNKNOWN, 2: infeasible, 3: REFUSED}, HALF, BYTES) == [(0, 0), (1, 0), (2, 0), (3, 0)]


def test_who_is_in_doubt_goes_on_with_the_baseline_and_ends_some_time():
    asked = rounds(BATCH, LARGER, replications=3, most=5)
    wild = {(0, r): 100.0 for r in range(9)} | {(1, r): 150.0 for r in range(9)}
    wild |= {(2, r): value for r, value in enumerate((90.0, 160.0, 95.0, 170.0, 100.0))}
    turns = []
    while (turn := asked.next) is not None:
        turns.append(tuple(turn))
        value = wild[tuple(turn)]
        asked.tell(turn, Status.COMPLETE, Score(value, 0.0, half_widths=(value * 0.3,)))
    assert turns[-1] == (0, 4) or turns[-1][1] == 4
    assert (2, 4) in turns
