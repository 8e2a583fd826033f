"""One configuration for all values of a knob: what a study's trials say of it, and how that is told."""

import io
import json
import math
from dataclasses import replace

import pytest
from rich.console import Console

from orchestrator.cli.export import exported
from orchestrator.cli.lessons import _winner
from orchestrator.cli.tables import print_outcome
from orchestrator.confirmation import Contender, confirmed, line_up_across
from orchestrator.document import study_document
from orchestrator.errors import UsageError
from orchestrator.figures.across import across_sections
from orchestrator.result import Status
from tests.fakes.studies import study, trial

MODEL, BATCH, WORKERS = "args.model", "args.batch_size", "args.workers"
RATES = {  # items/s by model, and by (batch, workers)
    "small": {(1, 0): 100.0, (1, 2): 90.0, (32, 0): 200.0, (32, 2): 190.0},
    "large": {(1, 0): 10.0, (1, 2): 12.0, (32, 0): 11.0, (32, 2): 20.0},
}


def trials(rates=RATES, spread=0.02):
    number = 0
    for model, of_it in rates.items():
        for (batch, workers), rate in of_it.items():
            yield scored(number, {MODEL: model, BATCH: batch, WORKERS: workers}, rate, spread)
            number += 1


def scored(number, configuration, rate, spread=0.02, **more):
    one = trial(number, configuration, rate, **more)
    return replace(one, score=replace(one.score, half_widths=(rate * spread,))) if one.score else one


def across(listed, **changes):
    return replace(study(listed, objective="items_per_s"), across=MODEL, **changes)


def again(number, confirms, replication, rate):
    one = scored(number, {}, rate)
    return replace(one, confirms=confirms, replication=replication)


def printed(found):
    out = io.StringIO()
    print_outcome(Console(file=out, width=140), found)
    return out.getvalue()


def test_the_best_of_each_value_and_the_best_for_all_of_them():
    found = across(trials()).compromise
    assert found.values == ("large", "small")
    assert [dict(found.configurations[found.best(v)]) for v in found.values] == [
        {BATCH: 32, WORKERS: 2},
        {BATCH: 32, WORKERS: 0},
    ]
    assert dict(found.configurations[found.robust.configuration]) == {BATCH: 32, WORKERS: 2}
    assert found.robust.regrets == pytest.approx({"large": 0.0, "small": 0.05})
    assert (found.robust.mean_regret, found.robust.worst_regret) == pytest.approx((0.025, 0.05))
    assert found.robust.top == 2


def test_numbers_stand_in_their_order():
    listed = [scored(n, {MODEL: side, BATCH: 1}, 5.0) for n, side in enumerate((100, 20, 3))]
    assert across(listed).compromise.values == ("3", "20", "100")


def test_what_was_measured_again_counts_instead():
    runs = (again(8, 3, 0, 100.0), again(9, 3, 1, 400.0), again(10, 3, 2, 200.0))
    found = across(trials(), replications=runs).compromise
    number = next(n for n, one in enumerate(found.configurations) if dict(one) == {BATCH: 32, WORKERS: 2})
    assert found.figure("small", number) == pytest.approx(200.0)
    assert found.cell("small", number).uncertainty == pytest.approx(4.303 * math.log(2) / 3**0.5, rel=1e-3)


def test_measurements_that_agree_know_no_more_than_all_of_them_together():
    runs = tuple(again(8 + replication, 3, replication, 100.0) for replication in range(3))
    found = across(trials(), replications=runs).compromise
    (cell,) = (cell for cell in found.cells["small"].values() if cell.again)
    assert cell.uncertainty == pytest.approx(0.02 / 3**0.5)


def test_a_regret_is_known_as_well_as_both_figures_behind_it():
    found = across(trials()).compromise
    assert found.margin(found.robust) == pytest.approx(0.95 * 0.02 * 2**0.5 / 2)
    unknown = across(trials(spread=float("nan"))).compromise
    assert unknown.margin(unknown.robust) != unknown.margin(unknown.robust)


@pytest.mark.parametrize(
    ("listed", "obstacle"),
    [
        ([], "nothing was measured"),
        ([scored(0, {MODEL: "a", BATCH: 1}, 5.0), scored(1, {MODEL: "b", BATCH: 2}, 5.0)], "a grid measures all"),
        (
            [scored(0, {MODEL: "a", BATCH: 1}, 5.0), scored(1, {MODEL: "b", BATCH: 1}, 5.0, violation=0.2)],
            "under args.model = b nothing was measured that keeps the SLO",
        ),
        ([trial(0, {MODEL: "a", BATCH: 1}, status=Status.FAILED)], "nothing was measured"),
    ],
    ids=["no trial", "none under both", "over the SLO", "failed"],
)
def test_where_nothing_is_recommended_it_is_said_why(listed, obstacle):
    found = across(listed)
    assert found.compromise.robust is None
    assert obstacle in found.compromise.obstacle
    assert obstacle in " ".join(printed(found).split())
    assert found.recommended is None
    with pytest.raises(UsageError, match=r"recommends nothing for all values of args\.model.*--trial N"):
        exported(found, None)


def test_a_study_without_such_a_knob_has_no_compromise():
    assert study(trials()).compromise is None
    assert study_document(study(trials()))["across"] is None


def test_the_outcome_names_the_best_of_each_and_the_one_for_all():
    text = printed(across(trials()))
    assert "For all values of model: batch_size=32 workers=2" in text
    assert "2.5% ±1.3% worse than the best for each of them on average, 5.0% at most" in text
    assert "most often in the top 3: batch_size=32 workers=2 (2 of 2)" in text
    assert "Winner" not in text


def test_the_document_has_all_standings():
    found = json.loads(json.dumps(study_document(across(trials()))["across"]))
    assert found["knob"] == MODEL
    assert found["values"] == ["large", "small"]
    best = found["configurations"][found["robust"]["configuration"]]
    assert best == {BATCH: 32, WORKERS: 2}
    assert len(found["standings"]) == 4
    assert set(found["robust"]) == {"configuration", "regret", "regret_mean", "regret_worst", "top"}


def test_the_one_for_all_is_what_is_exported():
    found = across(trials())
    assert found.recommended.configuration == {MODEL: "large", BATCH: 32, WORKERS: 2}
    assert "recommended for all values of args.model" in exported(found, None)
    assert "recommended for all" not in exported(found, 0)


def test_the_head_of_its_page_tells_the_one_for_all():
    assert _winner(across(trials())).startswith("For all values of model: batch_size=32 workers=2")


def test_replications_of_such_a_study_are_not_about_one_winner():
    found = across(trials(), replications=(again(8, 3, 0, 1.0),))
    assert confirmed(found) is found


def contenders(rates=RATES):
    return [Contender(one.number, one.configuration, one.score) for one in trials(rates)]


def test_the_best_compromises_are_measured_again_under_every_value():
    line = line_up_across(contenders(), MODEL, top=2, maximize=True)
    assert [(one.configuration[MODEL], one.configuration[BATCH], one.configuration[WORKERS]) for one in line] == [
        ("small", 32, 2),
        ("small", 32, 0),
        ("large", 32, 2),
        ("large", 32, 0),
    ]


def test_nothing_is_measured_again_where_there_is_no_compromise():
    assert line_up_across(contenders({"a": {(1, 0): 1.0}, "b": {(2, 0): 1.0}}), MODEL, 2, True) == []


def test_figures_show_the_regrets_the_grid_and_cuts_through_it():
    sections = across_sections(across(trials()).compromise, "items_per_s")
    assert [section.name for section in sections] == ["across", "across-grid", "across-workers", "across-batch-size"]
    regrets, grid, by_workers, by_batch = (section.figure for section in sections)
    assert regrets.data[0].y[0] == "<b>recommended: batch_size=32 workers=2</b>"
    assert [list(row) for row in grid.data[1].z] == [[100.0, 200.0], [90.0, 190.0]]
    lines = [trace for trace in by_workers.data if trace.name == "batch_size = 32"]
    assert [list(one.y) for one in lines] == [[11.0, 20.0], [200.0, 190.0]]
    assert list(lines[0].error_y.array) == pytest.approx([0.22, 0.4])
    assert list(by_batch.data[0].x) == [1, 32]


@pytest.mark.parametrize(
    ("listed", "names"),
    [
        ([], ["across"]),
        ([scored(0, {MODEL: "a", BATCH: 1}, 5.0), scored(1, {MODEL: "b", BATCH: 1}, 5.0)], ["across"]),
        (
            [scored(n, {MODEL: "a", BATCH: batch}, 5.0) for n, batch in enumerate((1, 2))],
            ["across", "across-batch-size"],
        ),
    ],
    ids=["nothing measured", "no other knob varied", "one other knob"],
)
def test_figures_can_be_had_of_any_such_study(listed, names):
    assert [section.name for section in across_sections(across(listed).compromise, "items_per_s")] == names
