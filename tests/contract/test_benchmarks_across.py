"""Tables about one configuration for all values of a knob, and what short runs say of long ones."""

from dataclasses import replace

import pytest

from benchmarks.studies.across import KINDS
from benchmarks.studies.lengths import Run, best_at, runs_of
from benchmarks.studies.page import Wanted
from tests.contract.test_benchmarks_studies import cells
from tests.fakes.studies import study, trial

FIRST, INFERENCE = "part_first_batch_ms", "part_inference_ms"
BATCH = "args.batch_size"


def run(items=100, batch=10, first=2.0, each=0.1, waiting=0.0):
    """Seconds: until the first batch, of the model for an item, and of waiting for the data of each further one."""
    return Run(items, batch, first + items * each + (items - batch) * waiting, first, each)


@pytest.mark.parametrize(
    ("measured", "items", "seconds"),
    [
        pytest.param(run(), 100, 12.0, id="the run itself"),
        pytest.param(run(), 1000, 102.0, id="the model is what holds it up"),
        pytest.param(run(waiting=0.3), 1000, 2.0 + 1.0 + 990 * 0.4, id="loading is what holds it up"),
        pytest.param(run(), 10, 3.0, id="one batch"),
    ],
)
def test_longer_runs_follow_from_the_first_batch_and_the_rate_after_it(measured, items, seconds):
    assert measured.time_s(items) == pytest.approx(seconds)


def test_of_less_than_a_batch_nothing_is_known():
    assert run().time_s(9) != run().time_s(9)


def job(number, model, batch, workers, total_s, first_s, inference_s, items=100):
    configuration = {"args.model": model, BATCH: batch, "args.workers": workers}
    details = {FIRST: first_s * 1e3, INFERENCE: inference_s * 1e3}
    one = trial(number, configuration, items / total_s, details=details)
    measured = replace(one.measurement, latency_mean_ms=total_s * 1e3, batch_size_mean=float(items))
    return replace(one, measurement=measured)


def many_workers_pay_on_long_runs():
    """With 4 workers the first batch is later and the rest is faster."""
    trials = [
        *(job(0, "a", 10, 1, 12.0, 1.0, 1.0), job(1, "a", 10, 4, 13.0, 6.0, 1.0)),
        *(job(2, "b", 10, 1, 14.0, 1.0, 1.0), job(3, "b", 10, 4, 13.0, 6.0, 1.0)),
    ]
    return replace(study(trials, objective="items_per_s"), across="args.model")


def test_which_configuration_is_best_depends_on_the_length_of_the_run():
    found = many_workers_pay_on_long_runs().compromise
    workers = [one["args.workers"] for one in found.configurations]
    short, long_ = (best_at(runs_of(found, BATCH), items) for items in (20, 10_000))
    assert {value: workers[number] for value, number in short[0].items()} == {"a": 1, "b": 1}
    assert {value: workers[number] for value, number in long_[0].items()} == {"a": 4, "b": 4}
    assert workers[short[1][0].configuration] == 1
    assert workers[long_[1][0].configuration] == 4


def made(kind, found, *arguments):
    return KINDS[kind]({"": found}, Wanted(kind, "x", arguments))


def test_the_table_of_lengths():
    rows = cells(made("lengths", many_workers_pay_on_long_runs(), (BATCH,), ("20", "10000")))
    assert rows == [
        ["items in a run", "a", "b", "for all (mean regret)"],
        ["20", *["batch_size=10 workers=1"] * 2, "batch_size=10 workers=1 (0.0%)"],
        ["10,000", *["batch_size=10 workers=4"] * 2, "batch_size=10 workers=4 (0.0%)"],
    ]


def test_the_table_of_compromises():
    text = made("compromises", many_workers_pay_on_long_runs())
    assert cells(text)[0] == ["configuration", "a", "b", "mean", "worst", "in top 3"]
    assert cells(text)[1][:3] == ["batch_size=10 workers=1", "0.0%", "7.1%"]
    assert "Most often among the best 3: batch_size=10 workers=1: 2" in text


def test_the_table_of_each_value():
    text = made("grids", many_workers_pay_on_long_runs(), (BATCH, "args.workers"), (FIRST,))
    assert "a, first batch, ms:" in text
    assert "| 10 | 1,000 | 6,000 |" in text


def test_a_longer_run_that_was_measured_stands_beside_what_was_derived():
    trials = [
        replace(one, configuration={**one.configuration, "args.items": items})
        for items, one in (
            (100, job(0, "a", 10, 1, 12.0, 1.0, 1.0)),
            (1000, job(1, "a", 10, 1, 120.0, 1.0, 10.0, items=1000)),
        )
    ]
    (row,) = cells(made("longer", study(trials), ("args.items", BATCH)))[1:]
    assert row == ["model=a batch_size=10 workers=1", "100", "1,000", "121", "120", "1.01"]
