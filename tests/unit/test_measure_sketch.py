"""The row of sorted response times that is kept with a trial."""

from dataclasses import replace

import numpy as np
import pytest

from orchestrator.measure.samples import Outcome
from orchestrator.measure.sketch import PLACES, sorted_ms
from tests.fakes.trials import samples

WINDOW = (1.0, 3.0)


def test_the_row_begins_with_the_shortest_and_ends_with_the_longest_time():
    sent = samples(100, 4.0)
    waited_s = np.random.default_rng(0).permutation(len(sent)) / 1000
    row = sorted_ms(replace(sent, done_s=sent.scheduled_s + waited_s), WINDOW)
    inside = waited_s[(sent.scheduled_s >= 1) & (sent.scheduled_s < 3)] * 1000
    assert (len(row), row[0], row[-1]) == (PLACES, inside.min(), inside.max())
    assert list(row) == sorted(row)
    assert row[PLACES // 2] == pytest.approx(np.median(inside), rel=1e-3)
    assert row[198] == pytest.approx(np.percentile(inside, 99), rel=1e-3)


@pytest.mark.parametrize(
    ("outcome", "row"),
    [
        pytest.param(lambda index: Outcome.TIMEOUT, (), id="no request succeeded"),
        pytest.param(lambda index: Outcome.OK if index == 150 else Outcome.BROKEN, (10.0,) * PLACES, id="one did"),
    ],
)
def test_only_successes_count(outcome, row):
    assert sorted_ms(samples(100, 4.0, outcome), WINDOW) == row


def test_numbers_have_no_more_digits_than_a_picture_shows():
    sent = samples(100, 4.0)
    odd = replace(sent, done_s=sent.scheduled_s + 0.0123456789)
    assert set(sorted_ms(odd, WINDOW)) == {12.35}
