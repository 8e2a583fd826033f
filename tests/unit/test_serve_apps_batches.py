"""A batch runs together where it can, and no request suffers from another."""

import numpy as np
import pytest

from serve_apps.batches import run_batch
from serve_apps.tensors import RequestError


def rows(*values, width=1):
    return {"x": np.array([[value] * width for value in values], "f4")}


class Model:
    """Doubles its input; refuses a run that contains `poison`; remembers the rows of each run."""

    def __init__(self, poison=None, drop_rows=False):
        self.poison, self.drop_rows, self.runs = poison, drop_rows, []

    def __call__(self, inputs):
        x = inputs["x"]
        self.runs.append(len(x))
        if self.poison is not None and (x == self.poison).any():
            raise RequestError("poisoned")
        return [x.sum(axis=0) if self.drop_rows else 2 * x]


def values(outcome):
    return outcome if isinstance(outcome, RequestError) else outcome[0].ravel().tolist()


def test_equal_shapes_run_once_and_everyone_gets_the_own_rows():
    model = Model()
    outcomes = run_batch(model, [rows(1), rows(2, 3), rows(4)], batchable=True)
    assert [values(outcome) for outcome in outcomes] == [[2], [4, 6], [8]]
    assert model.runs == [4]


def test_different_shapes_run_in_groups_and_answers_keep_the_order():
    model = Model()
    outcomes = run_batch(model, [rows(1), rows(2, width=2), rows(3), rows(4, width=2)], batchable=True)
    assert [values(outcome) for outcome in outcomes] == [[2], [4, 4], [6], [8, 8]]
    assert model.runs == [2, 2]


def test_only_the_guilty_request_gets_the_error():
    model = Model(poison=2)
    first, guilty, last = run_batch(model, [rows(1), rows(2), rows(3)], batchable=True)
    assert (values(first), values(last)) == ([2], [6])
    assert isinstance(guilty, RequestError)
    assert model.runs == [3, 1, 1, 1]


def test_a_single_request_that_fails_is_not_tried_twice():
    model = Model(poison=1)
    [outcome] = run_batch(model, [rows(1)], batchable=True)
    assert isinstance(outcome, RequestError)
    assert model.runs == [1]


def test_a_model_that_cannot_batch_runs_request_by_request():
    model = Model()
    assert [values(o) for o in run_batch(model, [rows(1), rows(2)], batchable=False)] == [[2], [4]]
    assert model.runs == [1, 1]


def test_outputs_that_do_not_follow_the_rows_are_computed_request_by_request():
    model = Model(drop_rows=True)
    assert [values(o) for o in run_batch(model, [rows(1, 2), rows(3)], batchable=True)] == [[3], [3]]
    assert model.runs == [3, 2, 1]


def test_inputs_that_disagree_about_their_rows_are_never_joined():
    seen = []

    def run(inputs):
        seen.append(len(inputs["a"]))
        return [inputs["a"]]

    uneven = {"a": np.zeros((2, 1)), "b": np.zeros((1, 1))}
    even = {"a": np.zeros((1, 1)), "b": np.zeros((1, 1))}
    run_batch(run, [uneven, even, uneven, even], batchable=True)
    assert sorted(seen) == [2, 2, 2]


@pytest.mark.parametrize("batchable", [True, False])
def test_a_mistake_in_our_own_code_is_not_taken_for_the_request_s_fault(batchable):
    def broken(inputs):
        raise KeyError("bug")

    with pytest.raises(KeyError):
        run_batch(broken, [rows(1), rows(2)], batchable)
