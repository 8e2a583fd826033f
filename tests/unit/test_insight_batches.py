"""Time per item by batch size: the curves of a study, and which batch suffices."""

from __future__ import annotations

import io
import math

import pytest
from rich.console import Console

from orchestrator.cli.batches import batches_table
from orchestrator.insight import batch_curves
from orchestrator.result import Status
from tests.fakes.studies import study, trial


def one(number, batch, item_ms, model="small", engine="onnx", **changes):
    """A trial of a job, an item of which takes `item_ms`, ± 1 %."""
    details = {"item_ms": item_ms, "item_ms_lo": item_ms * 0.99, "item_ms_hi": item_ms * 1.01}
    configuration = {"args.model": model, "args.batch_size": batch, "args.engine": engine}
    return trial(number, configuration, 1000 / item_ms, details=details, **changes)


TRIALS = (
    one(0, 64, 2.1),
    one(1, 1, 8.0),
    one(2, 8, 2.03),
    one(3, 32, 2.0),
    one(4, 1, 9.0, engine="torch"),
    one(5, 8, 3.0, engine="torch"),
    one(6, 1, 50.0, model="large"),
    one(7, 8, 50.5, model="large"),
    one(10, 8, 60.0, model="large", engine="torch"),
    one(8, 128, 0.1, status=Status.INFEASIBLE),
    one(9, 256, 0.1, status=Status.INVALID),
)


def test_trials_that_differ_in_the_batch_alone_are_a_curve_by_its_size():
    curves = batch_curves(study(TRIALS, objective="items_per_s"))
    assert [(curve.panel, curve.name, [point.size for point in curve.points]) for curve in curves] == [
        ("onnx", "large", [1, 8]),
        ("onnx", "small", [1, 8, 32, 64]),
        ("torch", "small", [1, 8]),
    ]


def test_the_smallest_batch_within_two_percent_of_the_best_suffices():
    _, small, torch = batch_curves(study(TRIALS))
    assert (small.best.size, small.sufficient.size, small.gain) == (32, 8, 4.0)
    assert (torch.best.size, torch.sufficient.size, torch.gain) == (8, 8, 3.0)


def test_a_smaller_batch_whose_interval_leaves_it_open_was_not_shown_to_be_worse():
    wide = {"item_ms": 2.3, "item_ms_lo": 1.9, "item_ms_hi": 2.7}
    unsure = trial(11, {"args.model": "small", "args.batch_size": 4, "args.engine": "onnx"}, 435, details=wide)
    _, small, _ = batch_curves(study((*TRIALS, unsure)))
    assert (small.acceptable.size, small.sufficient.size) == (4, 8)


def test_runs_of_one_size_count_together_and_tell_how_much_runs_differ():
    runs = [(1, 8.0), (1, 8.8), (8, 2.0), (8, 2.0), (16, 2.3)]
    (curve,) = batch_curves(study([one(number, size, ms) for number, (size, ms) in enumerate(runs)]))
    assert [len(point.trials) for point in curve.points] == [2, 2, 1]
    assert [point.item_ms.value for point in curve.points] == pytest.approx([math.sqrt(8.0 * 8.8), 2.0, 2.3])
    # between runs sqrt(2 (ln 1.1 / 2)^2 / 2), Student's t with 2 degrees of freedom
    between, t = math.log(1.1) / 2, 4.3027
    widths = [math.log(point.item_ms.interval.hi / point.item_ms.value) for point in curve.points]
    assert widths == pytest.approx([between * t / math.sqrt(2)] * 2 + [between * t], rel=1e-3)
    assert (curve.sufficient.size, curve.acceptable.size) == (8, 8)


def test_the_largest_batch_is_not_always_the_best():
    large, *_ = batch_curves(study(TRIALS))
    assert (large.best.size, large.gain) == (1, 1.0)


NONE = {
    "nothing was measured": [],
    "requests were measured": [trial(0, {"args.batch_size": 1}), trial(1, {"args.batch_size": 2})],
    "batches have one size": [one(0, 8, 1.0), one(1, 8, 1.0, model="large")],
    "no knob is a batch's size": [trial(0, {"args.n": 1}, details={"item_ms": 1.0})],
}


@pytest.mark.parametrize("trials", NONE.values(), ids=NONE)
def test_without_two_sizes_there_are_no_curves(trials):
    assert batch_curves(study(trials)) == ()


def test_the_table_has_a_line_for_each_curve():
    output = io.StringIO()
    Console(file=output, width=120).print(batches_table(batch_curves(study(TRIALS))))
    lines = [" ".join(line.split()) for line in output.getvalue().splitlines()]
    assert "small onnx 8 8 2.03 (2.01–2.05) 32 2.00 (1.98–2.02) ×4.00 in 1" in lines
    assert "large onnx 1 1 50.0 (49.5–50.5) 1 50.0 (49.5–50.5) ×1.00 in 1" in lines
