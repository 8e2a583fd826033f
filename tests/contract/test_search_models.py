"""What the search's own model foretells, and what is hoped of it."""

import math

import numpy as np
import pytest

from orchestrator.search.algorithm import Task
from orchestrator.search.history import History, observe
from orchestrator.search.improvement import FEWEST, expected_improvement, improvement_left
from orchestrator.search.process import NOISE, Process, coordinates
from orchestrator.space import Space, parse_knob
from tests.fakes.spaces import LINE, MIXED


def task(space=LINE, **more):
    return Task(space=space, seed=0, trials=20, baseline={}, maximize=[True], **more)


def told(space, figures, violation=lambda configuration: 0.0):
    """A history of (configuration, figure)."""
    history = History()
    for configuration, figure in figures:
        report = {"status": "COMPLETE", "value": figure, "violation": violation(configuration)}
        history.finish(observe(configuration, report, [True]))
    assert all(space.contains(configuration) for configuration, _ in figures)
    return history


def test_the_process_goes_through_the_middle_of_noisy_values_and_knows_less_far_away():
    rng = np.random.default_rng(0)
    points = rng.uniform(0, 0.6, (40, 1))
    values = np.sin(3 * points[:, 0]) + rng.normal(0, NOISE[1], 40)
    process = Process.fit(points, values)
    mean, error = process.predict(np.array([[0.1], [0.3], [0.5]]))
    assert mean == pytest.approx(np.sin([0.3, 0.9, 1.5]), abs=0.05)
    assert (error < NOISE[1]).all()
    assert process.predict(np.array([[1.0]]))[1] > 2 * error.max()


def test_equal_values_are_foretold_everywhere():
    process = Process.fit(np.linspace(0, 1, 5)[:, None], np.full(5, 3.0))
    assert process.predict(np.array([[0.4]]))[0] == pytest.approx(3.0, abs=0.01)


def test_every_configuration_has_the_same_coordinates():
    one = {"engine": "onnx", "threads": 5, "layout": "nhwc", "batch": 16}
    other = {"engine": "torch", "layout": "nchw", "batch": 1}
    rows = coordinates(MIXED, [one, other])
    assert rows.shape == (2, 2 + 1 + 3 + 1)  # the two engines, threads, three layouts, batch
    assert rows.min() >= 0
    assert rows.max() <= 1
    assert rows[1, 2] == pytest.approx(0.5, abs=0.15), "threads of an engine that has none are in the middle"


@pytest.mark.parametrize("mean", [-1.0, 0.0, 0.5, 2.0])
def test_expected_improvement_is_the_mean_of_what_is_gained(mean):
    rng = np.random.default_rng(1)
    gained = np.maximum(0.3 - rng.normal(mean, 0.7, 400_000), 0).mean()
    assert expected_improvement(0.3, np.array([mean]), np.array([0.7]))[0] == pytest.approx(gained, abs=0.005)


def test_nobody_knows_what_is_left_while_little_was_measured():
    few = [({"x": place / 20}, 100.0) for place in range(FEWEST - 1)]
    assert improvement_left(told(LINE, few), task(), np.random.default_rng(0)) == math.inf


def test_much_is_left_on_a_slope_that_was_not_climbed_and_little_when_it_was():
    slope = [({"x": place / 30}, math.exp(3 * place / 30)) for place in range(12)]
    climbed = [({"x": place / 11}, math.exp(3 * place / 11)) for place in range(12)]
    left = [improvement_left(told(LINE, seen), task(), np.random.default_rng(0)) for seen in (slope, climbed)]
    assert left[0] > 0.3
    assert left[1] < 0.02


def test_nothing_is_left_of_a_space_that_was_measured_in_full():
    small = Space(knobs={"n": parse_knob({"randint": [1, 10]})})
    seen = told(small, [({"n": number}, 100.0 + number) for number in range(1, 11)])
    assert improvement_left(seen, task(small), np.random.default_rng(0)) == 0
