"""How many clients are tried, and what that says."""

import math

import pytest

from orchestrator.feasible import Step, sustained
from orchestrator.feasible.climb import MOST_CLIENTS, breaks, next_clients


def climb(throughput, breaks_at=math.inf, wanted=1):
    """The steps of a whole climb; `throughput` of so many clients."""
    steps = []
    while (clients := next_clients(steps, wanted)) is not None:
        assert len(steps) < 30
        steps.append(Step(clients, throughput(clients), "it broke" if clients >= breaks_at else ""))
    return steps


def saturating(capacity, each=1.0):
    return lambda clients: min(capacity, clients * each)


@pytest.mark.parametrize(
    ("steps", "tried"),
    [
        pytest.param(climb(saturating(4)), [1, 2, 4, 8], id="doubled until throughput rises no more"),
        pytest.param(climb(saturating(1)), [1, 2], id="one client is enough for a slow server"),
        pytest.param(climb(saturating(2), wanted=32), [1, 2, 4, 8, 16, 32], id="and on to what the file asks for"),
        pytest.param(climb(saturating(2), wanted=20), [1, 2, 4, 8, 16, 20], id="exactly that"),
        pytest.param(climb(saturating(64), wanted=8), [1, 2, 4, 8, 16, 32, 64, 128], id="and beyond, if it rises"),
        pytest.param(climb(saturating(9e9)), [2**n for n in range(11)], id="not for ever"),
        pytest.param(climb(saturating(4), 1), [1], id="if one client is too many there is nothing to try"),
        pytest.param(climb(saturating(4), 2), [1, 2], id="between 1 and 2 is nothing"),
        pytest.param(climb(saturating(4), 9, 32), [1, 2, 4, 8, 16, 11, 9], id="between what holds and what breaks"),
        pytest.param(
            climb(saturating(4), 24, 32), [1, 2, 4, 8, 16, 32, 23, 27], id="until the two are near each other"
        ),
    ],
)
def test_the_numbers_of_clients(steps, tried):
    assert [step.clients for step in steps] == tried


@pytest.mark.parametrize(
    ("steps", "clients", "saturated_from", "limited"),
    [
        pytest.param(climb(saturating(4)), 8, 4, False, id="nothing breaks"),
        pytest.param(climb(saturating(4), 1), 0, 1, True, id="nothing holds"),
        pytest.param(climb(saturating(4), 24, 32), 23, 4, True, id="the highest that holds"),
        pytest.param(climb(saturating(9e9)), MOST_CLIENTS, MOST_CLIENTS, False, id="faster than is looked for"),
        pytest.param([Step(1, 5), Step(2, 9, "x"), Step(4, 9)], 1, 2, True, id="luck above a break does not count"),
        pytest.param([Step(1, 95), Step(2, 100), Step(4, 97)], 4, 1, False, id="noise is no rise"),
    ],
)
def test_what_is_sustained(steps, clients, saturated_from, limited):
    found = sustained(steps)
    assert (found.clients, found.saturated_from, found.limited) == (clients, saturated_from, limited)


def test_the_reason_names_the_number_that_broke():
    assert sustained(climb(saturating(4), 24, 32)).why == "with 27, it broke"


def test_without_a_step_nothing_is_known():
    with pytest.raises(ValueError, match="no load"):
        sustained([])


LIMITS = {"latency_p90_ms": 100.0, "error_ratio": 0.01}
TEXTS = {"latency_p90_ms": "p90 ≤ 100 ms", "error_ratio": "error_ratio ≤ 1 %"}
GOOD = {"latency_p90_ms": 100.0, "error_ratio": 0.01}


@pytest.mark.parametrize(
    ("figures", "limits", "timeouts", "sentence"),
    [
        pytest.param(GOOD, LIMITS, 0, "", id="at its limits"),
        pytest.param(GOOD, {}, 0, "1.0% of the requests failed", id="failures without a limit on them"),
        pytest.param({"error_ratio": 0.0}, {}, 0, "", id="no limits at all"),
        pytest.param({**GOOD, "latency_p90_ms": 1234.5}, LIMITS, 0, "1,234 ms breaks p90 ≤ 100 ms", id="over a limit"),
        pytest.param(
            {"latency_p90_ms": 120.0, "error_ratio": 0.5},
            LIMITS,
            0,
            "120 ms breaks p90 ≤ 100 ms; 50.0% of requests that failed breaks error_ratio ≤ 1 %",
            id="over two",
        ),
        pytest.param(
            {"error_ratio": 0.0}, LIMITS, 0, "no request succeeded, which breaks p90 ≤ 100 ms", id="an unknown figure"
        ),
        pytest.param(
            GOOD, LIMITS, 1, "1 request had no answer within 10 s (workload.timeout_s)", id="one request timed out"
        ),
    ],
)
def test_a_load_breaks_with_the_reason(figures, limits, timeouts, sentence):
    assert breaks(figures, limits, timeouts, 10, TEXTS) == sentence
