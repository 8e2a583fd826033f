"""Where the time of requests went."""

import math
from dataclasses import replace

import numpy as np
import pytest

from orchestrator.measure.breakdown import break_down
from orchestrator.measure.samples import Outcome, Samples

NAN = math.nan
WINDOW = (0.0, 100.0)


def requests(*rows, outcome=Outcome.OK):
    """Samples from (send lag, sent to done, queue, batch wait, compute) in ms and the batch size, one a second."""
    lag, took, queue, wait, compute, size = np.array(rows, np.float64).reshape(len(rows), 6).T
    scheduled = np.arange(len(rows), dtype=np.float64)
    sent = scheduled + lag / 1e3
    return Samples(
        scheduled_s=scheduled,
        sent_s=sent,
        done_s=sent + took / 1e3,
        outcome=np.broadcast_to(np.asarray(outcome, np.uint8), len(rows)),
        status=np.full(len(rows), 200, np.int16),
        queue_s=queue / 1e3,
        batch_wait_s=wait / 1e3,
        compute_s=compute / 1e3,
        batch_size=size,
    )


# the request, then (send lag, network, backlog, batch wait, compute, server and network) in ms
SPLITS = {
    "everything stated": ((1, 19, 8, 3, 6, 4), (1, 5, 5, 3, 6, NAN)),
    "no Server-Timing": ((1, 19, NAN, NAN, NAN, NAN), (1, NAN, NAN, NAN, NAN, 19)),
    "no batch wait stated": ((0, 20, 8, NAN, 6, 4), (0, 6, 8, NAN, 6, NAN)),
    "queue only": ((0, 20, 8, 3, NAN, 4), (0, NAN, 5, 3, NAN, 12)),
    "compute only": ((0, 20, NAN, NAN, 6, NAN), (0, NAN, NAN, NAN, 6, 14)),
    "batch wait without a queue": ((0, 20, NAN, 3, 6, NAN), (0, NAN, NAN, NAN, 6, 14)),
    "a server that claims more than there was": ((0, 10, 8, 0, 6, 1), (0, -4, 8, 0, 6, NAN)),
}


@pytest.mark.parametrize(("request_", "expected"), SPLITS.values(), ids=SPLITS)
@pytest.mark.filterwarnings("error")
def test_a_request_is_split_into_parts_that_add_up(request_, expected):
    found = break_down(requests(request_), WINDOW)
    parts = found.mean
    values = (parts.send_lag_ms, parts.network_ms, parts.backlog_ms, parts.batch_wait_ms, parts.compute_ms)
    assert (*values, parts.server_and_network_ms) == pytest.approx(expected, nan_ok=True)
    assert parts.total_ms == pytest.approx(request_[0] + request_[1])
    assert sum(parts.shares().values()) == pytest.approx(1)
    assert found.tail.total_ms == pytest.approx(parts.total_ms)


def test_answers_with_and_without_server_times_still_add_up():
    found = break_down(requests((0, 20, 8, 3, 6, 4), (0, 10, NAN, NAN, NAN, NAN)), WINDOW)
    assert found.mean.compute_ms == pytest.approx(3)
    assert found.mean.network_ms == pytest.approx(3)
    assert found.mean.server_and_network_ms == pytest.approx(5)
    assert found.mean.total_ms == pytest.approx(15)


def test_only_successes_of_the_window_count():
    rows = [(0, 10, 4, 1, 5, 2), (0, 99, 9, 9, 9, 9), (0, 20, 4, 1, 5, 2), (0, 99, 9, 9, 9, 9)]
    outcome = [Outcome.OK, Outcome.TIMEOUT, Outcome.OK, Outcome.OK]
    found = break_down(requests(*rows, outcome=outcome), (0.0, 3.0))
    assert (found.requests, found.mean.total_ms) == (2, pytest.approx(15))
    assert found.batch_requests == {2: 2}


@pytest.mark.parametrize(
    ("count", "slowest"),
    [(1, 1), (99, 1), (100, 1), (101, 2), (1000, 10)],
)
def test_the_tail_is_the_slowest_hundredth_and_says_how_many_that_is(count, slowest):
    rows = [(0, 10, 0, 0, 10, 1)] * (count - slowest) + [(0, 30, 20, 20, 10, 1)] * slowest
    order = np.random.default_rng(0).permutation(count)
    found = break_down(requests(*[rows[index] for index in order]), (0.0, 1e4))
    assert (found.requests, found.tail_requests) == (count, slowest)
    assert found.tail_from_ms == pytest.approx(30)
    assert found.tail.shares()["batch_wait"] == pytest.approx(2 / 3)
    assert found.metrics()["tail_requests"] == slowest


def test_slow_is_what_took_long_since_it_was_scheduled():
    rows = [(0, 20, 0, 0, 20, 1)] * 99 + [(25, 1, 0, 0, 1, 1)]
    tail = break_down(requests(*rows), WINDOW).tail
    assert tail.send_lag_ms == pytest.approx(25)


def test_a_batch_of_n_is_seen_n_times_but_is_one_batch():
    sizes = [8] * 16 + [1] * 2
    found = break_down(requests(*[(0, 10, 4, 1, 5, size) for size in sizes]), WINDOW, max_batch_size=10)
    assert found.batch_requests == {1: 2, 8: 16}
    assert found.batches == {1: 2, 8: 2}
    assert found.batch_size_per_batch == pytest.approx(18 / 4)  # over requests the mean would be 7.2
    assert found.batch_fill == pytest.approx(0.45)
    assert found.metrics()["batch_fill"] == pytest.approx(0.45)


def test_a_batch_is_at_work_once_however_many_requests_are_in_it():
    rows = [(0, 10, 4, 1, 500, 2)] * 4 + [(0, 10, 4, 1, 1000, 1)]
    found = break_down(requests(*rows), (0.0, 5.0))
    assert found.at_work == pytest.approx((2 * 0.5 + 1.0) / 5)


@pytest.mark.parametrize("size", [0, NAN], ids=["answered without a batch", "not stated"])
def test_without_a_batch_there_is_neither_size_nor_fill(size):
    found = break_down(requests((0, 10, 0, 0, 0, size)), WINDOW, max_batch_size=8)
    assert found.batch_requests == {}
    assert not {"batch_fill", "batch_size_per_batch", "batches_at_work"} & set(found.metrics())


def test_fill_needs_to_know_the_largest_size():
    assert "batch_fill" not in break_down(requests((0, 10, 4, 1, 5, 8)), WINDOW).metrics()


def test_metrics_are_flat_and_finite():
    found = break_down(requests((1, 19, 8, 3, 6, 4)), WINDOW, max_batch_size=4).metrics()
    assert found == pytest.approx(
        {
            "backlog_ms_mean": 5,
            "send_lag_ms_tail": 1,
            "network_ms_tail": 5,
            "backlog_ms_tail": 5,
            "batch_wait_ms_tail": 3,
            "compute_ms_tail": 6,
            "send_lag_share": 0.05,
            "network_share": 0.25,
            "backlog_share": 0.25,
            "batch_wait_share": 0.15,
            "compute_share": 0.3,
            "send_lag_share_tail": 0.05,
            "network_share_tail": 0.25,
            "backlog_share_tail": 0.25,
            "batch_wait_share_tail": 0.15,
            "compute_share_tail": 0.3,
            "tail_requests": 1,
            "tail_from_ms": 20,
            "batch_size_per_batch": 4,
            "batch_fill": 1,
            "batches_at_work": 6e-3 / 4 / 100,
        }
    )


@pytest.mark.filterwarnings("error")
def test_without_a_success_nothing_is_said():
    found = break_down(requests((0, 10, 4, 1, 5, 2), outcome=Outcome.BROKEN), WINDOW)
    assert found.metrics() == {"tail_requests": 0}
    assert found.mean.shares() == {}


def test_padding_is_told_for_each_token_of_the_successes_that_say_so():
    told = requests((0, 10, 4, 1, 5, 8), (0, 10, 4, 1, 5, 8), (0, 10, 4, 1, 5, 8))
    sample = replace(told, tokens=np.array([30.0, 10.0, NAN]), padding=np.array([6.0, 14.0, NAN]))
    assert break_down(sample, WINDOW).metrics()["padding_waste"] == pytest.approx(0.5)


def test_where_nobody_tells_of_padding_there_is_no_figure():
    assert "padding_waste" not in break_down(requests((0, 10, 4, 1, 5, 8)), WINDOW).metrics()


def test_the_accuracy_is_the_mean_of_what_the_successes_tell():
    told = replace(requests(*[(0, 10, 4, 1, 5, 8)] * 3), accuracy=np.array([0.9, 1.0, NAN]))
    assert break_down(told, WINDOW).metrics()["accuracy"] == pytest.approx(0.95)
    assert "accuracy" not in break_down(requests((0, 10, 4, 1, 5, 8)), WINDOW).metrics()
