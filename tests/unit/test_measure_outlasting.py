"""Requests that last from before a window to after it."""

import numpy as np
import pytest

from orchestrator.measure.outlasting import outlasting_share
from tests.unit.test_measure_windows import samples

WINDOW = (1.0, 4.0)
QUICK = [1.0, 2.0, 3.0]  # scheduled within the window, each answered after 0.1 s


@pytest.mark.parametrize(
    ("scheduled_s", "took_s", "share"),
    [
        pytest.param([], [], 0.0, id="no requests"),
        pytest.param(QUICK, [0.1] * 3, 0.0, id="none"),
        pytest.param([0.0, *QUICK], [5.0, 0.1, 0.1, 0.1], 0.25, id="one that waited throughout"),
        pytest.param([0.0, *QUICK], [4.0, 0.1, 0.1, 0.1], 0.25, id="just so long"),
        pytest.param([0.0, *QUICK], [3.9, 0.1, 0.1, 0.1], 0.0, id="one that ended within it"),
        pytest.param([0.5, 0.6, *QUICK], [5.0, 5.0, 4.0, 4.0, 4.0], 0.0, id="all wait as long: a fair queue"),
        pytest.param([0.5, *QUICK], [8.0, 4.0, 3.0, 4.0], 0.0, id="twice as long as the slowest"),
        pytest.param([0.5, *QUICK], [8.1, 4.0, 3.0, 4.0], 0.25, id="longer"),
        pytest.param([0.0, 0.5], [5.0, 5.0], 0.0, id="nothing else was there"),
    ],
)
def test_the_share_of_requests_that_no_figure_knows(scheduled_s, took_s, share):
    assert outlasting_share(samples(scheduled_s, np.array(took_s) * 1e3), WINDOW) == share
