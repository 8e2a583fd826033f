"""The time of a request in the server: queue, the part of it spent collecting a batch, compute."""

import pytest

from serve_apps.timing import NO_BATCH, Collection, Timing

# joined, started, previous batch closed, full size, wait -> (opened, closed) and collecting time per request
COLLECTIONS = {
    "alone, no wait": ([1.0], 1.0, 0.0, 1, 0.0, (1.0, 1.0), [0.0]),
    "the wait runs out": ([1.0, 1.25], 1.5, 0.0, 8, 0.5, (1.0, 1.5), [0.5, 0.25]),
    "full before the wait runs out": ([1.0, 1.25], 1.25, 0.0, 2, 0.5, (1.0, 1.25), [0.25, 0.0]),
    "closed, then waits for the model": ([1.0, 1.25], 3.0, 0.0, 2, 0.5, (1.0, 1.25), [0.25, 0.0]),
    "all were waiting when it opened": ([1.0, 1.5], 4.0, 2.0, 2, 0.5, (2.0, 2.0), [0.0, 0.0]),
    "some were waiting, the rest came": ([1.0, 2.25], 4.0, 2.0, 2, 0.5, (2.0, 2.25), [0.25, 0.0]),
    "opened by the close of the one ahead": ([1.0], 4.0, 2.0, 8, 0.5, (2.0, 2.5), [0.5]),
    "taken in late, while the loop was busy": ([1.0, 3.0], 4.0, 0.0, 8, 0.5, (1.0, 1.5), [0.5, 0.0]),
    "started as soon as possible": ([1.0], 1.25, 0.0, 8, 0.5, (1.0, 1.25), [0.25]),
}


@pytest.mark.parametrize(
    ("joined", "started", "previous", "full_size", "wait", "window", "collecting"),
    COLLECTIONS.values(),
    ids=COLLECTIONS,
)
def test_collecting_ends_when_the_batch_is_full_or_the_wait_is_over(
    joined, started, previous, full_size, wait, window, collecting
):
    collection = Collection.of(joined, started, previous, full_size, wait)
    timings = [collection.timing(0.5, join, started, started + 2, len(joined)) for join in joined]
    assert (collection.opened_s, collection.closed_s) == window
    assert [timing.batch_s for timing in timings] == collecting
    assert all(timing.batch_s <= timing.queue_s == started - 0.5 for timing in timings)
    assert all((timing.compute_s, timing.batch_size) == (2, len(joined)) for timing in timings)


def test_the_header_holds_milliseconds_with_three_decimals():
    header = Timing(queue_s=0.0012034, batch_s=0.0008, compute_s=0.0031, batch_size=16).header()
    assert header == b"queue;dur=1.203, batch;dur=0.800, compute;dur=3.100, batch-size;desc=16"


def test_the_header_tells_of_padding_where_items_differ_in_length():
    assert Timing(0.0, 0.0, 0.0, 2, tokens=60, padding=12).header().endswith(b"=2, tokens;desc=60, padding;desc=12")


def test_the_header_tells_the_models_accuracy_where_it_is_known():
    assert Timing(0.0, 0.0, 0.0, 2, accuracy=0.98765432).header().endswith(b"batch-size;desc=2, accuracy;desc=0.98765")


def test_an_answer_that_never_reached_a_batch_carries_zeros():
    assert NO_BATCH.header() == b"queue;dur=0.000, batch;dur=0.000, compute;dur=0.000, batch-size;desc=0"
