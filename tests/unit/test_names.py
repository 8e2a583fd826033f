"""How figures are written for people."""

import pytest

from orchestrator.names import figure


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"),
        (float("nan"), "–"),
        (0.0, "0.00"),
        (0.01234, "0.0123"),
        (1.0, "1.00"),
        (9.994, "9.99"),
        (9.9999999, "10.0"),
        (99.949, "99.9"),
        (99.9999999, "100"),
        (12345.6, "12,346"),
        (-9.9999999, "-10.0"),
    ],
)
def test_a_figure_has_three_significant_digits_also_where_it_is_rounded_up(value, text):
    assert figure(value) == text
