"""What a million requests cost."""

import math

import pytest

from orchestrator.objective import Prices, cost_figures
from orchestrator.validation import validate

GIB = 2**30


@pytest.mark.parametrize(
    ("prices", "amount", "per_hour"),
    [
        pytest.param({"node_hour": 0.5}, (64, 8, 1e12), 0.5, id="a node, whatever is used of it"),
        pytest.param({"cpu_hour": 0.04}, (3, 1, GIB), 0.12, id="CPUs alone"),
        pytest.param({"cpu_hour": 0.04, "gpu_hour": 1.2}, (2, 0.5, GIB), 0.68, id="CPUs and GPUs"),
        pytest.param({"memory_gb_hour": 0.01}, (2, 1, 3 * GIB), 0.03, id="memory by 2^30 bytes"),
        pytest.param({"gpu_hour": 1}, (2, 0, GIB), 0, id="nothing that has a price"),
    ],
)
def test_an_hour_costs_what_is_reserved(prices, amount, per_hour):
    assert Prices(**prices).per_hour(*amount) == pytest.approx(per_hour)


@pytest.mark.parametrize(
    ("prices", "message"),
    [
        pytest.param({}, "states no price; write {node_hour: 0.5}", id="empty"),
        pytest.param({"node_hour": 1, "cpu_hour": 1, "gpu_hour": 2}, "cpu_hour, gpu_hour included", id="both kinds"),
        pytest.param({"node_hour": 0}, "expected a number above 0, found 0", id="free"),
        pytest.param({"cpu_hour": "0.04"}, "expected a number, found '0.04'", id="text"),
        pytest.param({"cpu_hour": math.inf}, "expected a finite number", id="infinite"),
        pytest.param({"cpu_houre": 1, "node_hour": 1}, "did you mean 'cpu_hour'", id="typo"),
        pytest.param(0.5, "expected a mapping with the keys node_hour, cpu_hour", id="a number"),
    ],
)
def test_prices_that_make_no_sense_are_refused(prices, message):
    read, findings = validate(Prices, prices)
    assert read is None
    assert message in " ".join(sentence for _, sentence in findings)


FIGURES = {"throughput_rps": 500.0, "throughput_rps_lo": 400.0, "throughput_rps_hi": 625.0, "goodput_rps": 100.0}


@pytest.mark.parametrize(
    ("figures", "cost"),
    [
        pytest.param(FIGURES, (2.0, 1.6, 2.5), id="by throughput: the more, the cheaper"),
        pytest.param({"throughput_rps": 500.0}, (2.0, None, None), id="without an interval"),
        pytest.param({**FIGURES, "max_rate_rps": 1000.0}, (1.0, None, None), id="by the highest rate"),
        pytest.param(
            {**FIGURES, "max_rate_rps": 1000.0, "max_rate_rps_lo": 1000.0, "max_rate_rps_hi": math.inf},
            (1.0, 0.0, 1.0),
            id="by a highest rate without an upper end",
        ),
        pytest.param(
            {**FIGURES, "max_rate_rps": 0.0, "max_rate_rps_lo": 0.0, "max_rate_rps_hi": 100.0},
            (math.inf, 10.0, math.inf),
            id="at no rate at all",
        ),
        pytest.param({}, (None, None, None), id="nothing was measured"),
    ],
)
def test_a_million_requests_cost_what_the_time_costs_in_which_they_are_served(figures, cost):
    found = cost_figures(figures, price_per_hour=3.6)
    names = ("cost_per_million", "cost_per_million_lo", "cost_per_million_hi")
    assert found == {name: pytest.approx(value) for name, value in zip(names, cost, strict=True) if value is not None}
