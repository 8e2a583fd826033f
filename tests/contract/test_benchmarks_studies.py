"""The pages of the serving studies: what their markers ask for, and the tables that are made of stored studies."""

from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path

import pytest

from benchmarks.studies.__main__ import EVERY, PAGES, SPACES, latest
from benchmarks.studies.figures import cell
from benchmarks.studies.page import PICTURE, Wanted, filled, wanted
from benchmarks.studies.tables import KINDS
from orchestrator.measure.race import BEATEN
from orchestrator.measure.verdict import Verdict
from orchestrator.result import Status
from orchestrator.tracking.port import StudySummary
from tests.contract.test_figures_study import SECTIONS as OF_STUDIES
from tests.contract.test_figures_workloads import SECTIONS as OF_WORKLOADS
from tests.fakes.studies import study, trial

PAGE = """\
# By hand
<!-- table: grid tables | batch, replicas | throughput_rps -->
old
<!-- end -->
between
<!-- table: search svhn | 25 -->
<!-- end -->
after
"""


def cells(markdown):
    """The rows of the one table in a text, the ruling left out."""
    rows = [line.strip("|").split("|") for line in markdown.splitlines() if line.startswith("|")]
    return [[one.strip() for one in row] for row in rows[:1] + rows[2:]]


def made(kind, studies, *arguments):
    return cells(KINDS[kind](studies, Wanted(kind, "x", arguments)))


def at(number, value, batch, replicas=1, **more):
    return trial(number, {"batch": batch, "replicas": replicas}, value, **more)


def test_markers_say_what_they_want():
    assert wanted(PAGE) == [
        Wanted("grid", "tables", (("batch", "replicas"), ("throughput_rps",))),
        Wanted("search", "svhn", (("25",),)),
    ]


def test_only_what_stands_between_markers_is_replaced():
    page = filled(PAGE, lambda one: f"{one.kind}!")
    assert "old" not in page
    assert [line for line in page.splitlines() if line in ("# By hand", "between", "after", "grid!", "search!")] == [
        *("# By hand", "grid!", "between", "search!", "after")
    ]
    assert filled(page, lambda one: f"{one.kind}!") == page


def test_a_grid_has_a_cell_for_each_pair_and_a_dash_for_what_was_not_measured():
    found = study([at(0, 100.0, 1), at(1, 250.0, 8), at(2, 90.0, 1, 2), at(3, 260.0, 8)])
    assert made("grid", {"": found}, ("batch", "replicas"), ("throughput_rps",)) == [
        ["batch \\ replicas", "1", "2"],
        ["1", "100", "90.0"],
        ["8", "260", "–"],
    ]


def test_trials_are_listed_in_the_order_of_their_knobs():
    found = study([at(0, 100.0, 8), at(1, 250.0, 1, spread=0.1)])
    assert made("trials", {"": found}, ("batch",), ("throughput_rps",)) == [
        ["batch", "requests/s"],
        ["1", "250 (225–275)"],
        ["8", "100"],
    ]


def test_of_a_configuration_that_was_measured_more_than_once_the_first_trial_to_be_trusted_is_listed():
    invalid = at(0, 100.0, 8, status=Status.INVALID)
    found = study([invalid, at(1, 250.0, 8), at(2, 240.0, 8)])
    assert made("trials", {"": found}, ("batch",), ("throughput_rps",))[1:] == [["8", "250"]]


def test_what_was_drawn_first_is_listed_for_each_workload():
    found = study([at(0, 100.0, 1), at(1, 250.0, 8), at(2, 120.0, 2), at(3, 90.0, 4)])
    assert made("sampled", {"few": found, "many": found}, ("batch",), ("throughput_rps",), ("2",))[1:] == [
        ["few", "8", "250"],
        ["few", "2", "120"],
        ["many", "8", "250"],
        ["many", "2", "120"],
    ]


def confirmed():
    """Trial 1 is three times the baseline in every block, and blocks differ by a tenth."""
    trials = [at(0, 100.0, 1), at(1, 300.0, 8)]
    again = [
        replace(
            at(0, 0.0, 1),
            confirms=one.number,
            replication=block,
            measurement=replace(
                one.measurement, items_per_s=one.score.value * speed * odd, latency_mean_ms=800 / one.score.value
            ),
        )
        for block, (speed, odd) in enumerate([(1.0, 1.0), (1.1, 1.02), (0.9, 1.0)])
        for one, odd in ((trials[0], 1.0), (trials[1], odd))
    ]
    return replace(study(trials), replications=tuple(again))


def test_the_outcome_compares_replications_block_by_block():
    rows = {row[0]: row[1:] for row in made("outcome", {"": confirmed()})}
    assert rows["batch"] == ["1", "8", ""]
    assert rows["items/s"][2].startswith("×3.02 (2.")
    assert rows["mean, ms"] == ["8.00 (8.00–8.00)", "2.67 (2.67–2.67)", "×0.333 (0.333–0.333)"]


def test_the_search_shows_what_the_model_adds_to_chance():
    found = study([at(0, 100.0, 1), at(1, 120.0, 2), at(2, 110.0, 3), at(3, 180.0, 4)])
    assert made("search", {"many": found}, ("2",))[1] == [
        *("many", "112 / 115 / 118 of 2", "180 / 180 / 180 of 1", "120", "180", "×1.50")
    ]


def test_the_gain_is_that_of_the_comparison():
    searched = study([at(0, 100.0, 1), at(1, 120.0, 2), at(2, 400.0, 8)])
    half = {"half_widths": (1.0,)}
    again = [
        replace(one, score=replace(one.score, **half)) for one in (at(0, 100.0, 1), at(1, 300.0, 8), at(2, 150.0, 2))
    ]
    rows = made("gain", {"many": searched, "many.compared": study(again)}, ("1",))
    assert [text[:5] for text in rows[1][1:]] == ["×3.00", "×2.00"]


def test_a_verdict_is_a_limit_passed_or_failed_or_a_reason_that_it_cannot_be_had():
    statuses = (Status.COMPLETE, Status.INFEASIBLE, Status.INVALID, *[Status.COMPLETE] * 4)
    verdicts = (Verdict.PASS, None, None, Verdict.FAIL, Verdict.UNDECIDED, Verdict.FAIL, Verdict.UNDECIDED)
    ended = [at(number, 1.0, 1, status=status) for number, status in enumerate(statuses)]
    found = [
        replace(one, verdicts={"p99_ms": verdict}) if verdict else one
        for one, verdict in zip(ended, verdicts, strict=True)
    ]
    found[5] = replace(found[5], reasons=("4 of 90 requests failed: 4 × time-out",))
    found[6] = replace(found[6], reasons=(BEATEN,))
    (columns, row) = made("verdicts", {"32-clients": study(found)})
    assert row[:2] == ["32-clients", "4 of 7 (57%)"]
    assert dict(zip(columns[2:-1], map(int, row[2:-1]), strict=True)) == {
        **{"SLO kept": 1, "SLO broken": 2, "worse beyond doubt": 1, "undecided": 1},
        **{"INFEASIBLE": 1, "INVALID": 1, "FAILED": 0, "with time-outs": 1},
    }
    assert row[-1] == "1 × it is INFEASIBLE; 1 × it is INVALID"


def test_what_has_no_figure_says_why():
    assert cell(at(1, 1.0, 1, status=Status.FAILED), "throughput_rps") == "FAILED"


def summary(study_id, name):
    return StudySummary(study_id, name, datetime(2026, 1, 1, tzinfo=timezone.utc), "FINISHED")


@pytest.mark.parametrize(
    ("experiment", "compared", "expected"),
    [
        pytest.param("svhn", False, {"one": "3", "two": "2"}, id="every workload's latest"),
        pytest.param("svhn:two", False, {"two": "2"}, id="one of them"),
        pytest.param("svhn", True, {"one": "3", "two": "2", "one.compared": "4"}, id="with the comparison"),
        pytest.param("clothing", False, {"": "5"}, id="a single load"),
        pytest.param("other", False, {}, id="never run"),
    ],
)
def test_the_latest_studies_of_an_experiment_are_taken(experiment, compared, expected):
    names = ["svhn:one", "svhn:two", "svhn:one", "svhn:one.compared", "clothing"]
    listed = [summary(str(number), name) for number, name in enumerate(names, 1)][::-1]
    assert {name: one.study_id for name, one in latest(listed, experiment, compared).items()} == expected


@pytest.mark.parametrize("page", sorted(PAGES.glob("*.md")), ids=lambda page: page.stem)
def test_every_page_asks_for_tables_and_pictures_of_experiments_that_there_are(page: Path):
    spaces = {file.stem for file in SPACES.glob("**/*.yaml")}
    for one in wanted(page.read_text(encoding="utf-8")):
        if one.what == PICTURE:
            assert one.kind in (*OF_STUDIES, *OF_WORKLOADS) or one.kind.startswith(("across", "batches"))
        else:
            assert one.kind in EVERY
        assert one.experiment.partition(":")[0] in spaces
