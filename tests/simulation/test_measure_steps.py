"""Intervals of few steps hold the truth as often as they say: simulated, with laws whose mean is known."""

from __future__ import annotations

import numpy as np
import pytest

from orchestrator.measure.steps import measure_steps, step_figures
from tests.fakes.jobs import steps_of

RUNS = 1000
LAWS = {
    "normal": lambda rng, count: rng.normal(10, 0.3, count),
    "skewed to slow": lambda rng, count: 9.7 + rng.gamma(4, 0.075, count),
}


@pytest.mark.parametrize("count", [3, 5, 8, 12, 40])
@pytest.mark.parametrize("draw", LAWS.values(), ids=LAWS)
def test_intervals_of_few_steps_hold_the_truth(draw, count):
    held = 0
    for run in range(RUNS):
        interval = measure_steps(steps_of(draw(np.random.default_rng([run, count]), count))).intervals
        held += interval["latency_mean_ms"].lo <= 10 <= interval["latency_mean_ms"].hi
    assert 0.91 <= held / RUNS <= 0.99


def test_the_time_of_an_item_holds_the_truth_though_the_last_batch_of_each_pass_is_smaller():
    held = 0
    for run in range(RUNS):
        rng = np.random.default_rng(run)
        items = [8, 8, 3] * 5
        times_ms = np.array(items) * 2.0 * rng.normal(1, 0.03, len(items))
        figures = step_figures(steps_of(times_ms, items=items))
        held += figures["item_ms_lo"] <= 2 <= figures["item_ms_hi"]
    assert 0.91 <= held / RUNS <= 0.99
