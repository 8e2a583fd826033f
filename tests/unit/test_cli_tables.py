"""A study on the terminal: no figure is cut off, every column that fits is there, what failed says why."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from rich.console import Console

from orchestrator.cli.breakdown import accuracy_line, batches_line, padding_line
from orchestrator.cli.output import screen
from orchestrator.cli.tables import print_outcome, trials_table
from orchestrator.measure.interval import Interval
from orchestrator.measure.measurement import Measurement
from orchestrator.measure.verdict import Verdict
from orchestrator.names import figure, label, rate_figure, spread
from orchestrator.result import Objective, Score, Status, StudyResult, TrialResult

KNOBS = ("C.user_config.max_batch_size", "C.user_config.batch_wait_timeout_s", "C.num_replicas")  # of digits.yaml
BASE = Measurement(1.0, 1.0, 8.1, 1.5, 7.9, 9.1, 9.9, 1.0, 40.0, 3.2, 1.0, 2.0, 6.5, 0.0, 1, 20.1)
LATE = "the client was late: it sent 5 ms after schedule (p99), which is 12% of the response time's p99 of 45 ms"


def trial(number, rps, p99_ms, requests, knobs, verdict=Verdict.PASS, violation=0.0, **changes):
    """`rps` and `p99_ms` are (figure, half of its interval as a share)."""
    intervals = {"throughput_rps": rps, "latency_p99_ms": p99_ms, "compute_ms_mean": (2.0, 0.25)}
    measurement = replace(
        BASE,
        throughput_rps=rps[0],
        latency_p99_ms=p99_ms[0],
        requests=requests,
        successes=requests,
        intervals={name: Interval(at * (1 - by), at * (1 + by)) for name, (at, by) in intervals.items()},
    )
    result = TrialResult(
        number,
        dict(zip(KNOBS, knobs, strict=True)),
        Status.COMPLETE,
        measurement=measurement,
        score=Score(rps[0], violation, verdict is not Verdict.UNDECIDED),
        verdicts={"latency_p99_ms": verdict},
        wall_s=12.0,
        overhead_s=4.0,
    )
    return replace(result, **changes)


BASELINE = trial(0, (431.4, 0.02), (145.4, 1.17), 862, (1, 0.0, 1), Verdict.FAIL, violation=0.4)
BEST = trial(1, (1956, 0.18), (45.4, 1.17), 11_738, (32, 0.00123456, 2))
OPEN = trial(2, (2345, 0.001), (45.4, 0.5), 11_738, (64, 0.0123456, 2), Verdict.UNDECIDED)
INVALID = trial(3, (9999, 0.03), (4.54, 0.02), 99_999, (64, 0.0123, 1), status=Status.INVALID, reasons=(LATE,))
INFEASIBLE = TrialResult(4, dict(zip(KNOBS, (8, 0.00016, 1), strict=True)), Status.INFEASIBLE, ("no node has room",))
TRIALS = (BASELINE, BEST, OPEN, INVALID, INFEASIBLE)


def study(*trials):
    return StudyResult("1f3e", "digits", "hyperopt", 0, True, "throughput_rps", trials)


def console(width):
    return Console(width=width, record=True, file=io.StringIO(), force_terminal=False)


def lines(width, *trials, show=print_outcome):
    screen = console(width)
    if show is print_outcome:
        print_outcome(screen, study(*trials))
    else:
        screen.print(trials_table(study(*trials), screen))
    return screen.export_text().splitlines()


def text(width, *trials):
    return " ".join(" ".join(lines(width, *trials)).split())


def test_of_many_trials_the_best_are_shown_and_the_baseline_and_how_many_there_are():
    many = [
        replace(BEST, number=number, score=Score(1e4 - number, 0.0), reasons=("slow",)) for number in range(1, 1000)
    ]
    shown = lines(140, BASELINE, *many)
    first = [line.split()[0] for line in shown if line.split()]
    assert [int(word) for word in first if word.isdigit()] == [*range(1, 101)]
    assert label(0) in first
    assert "the first 100 of 1,000 trials; all are in --json and in MLflow" in " ".join(shown)
    assert "… and of 899 trials more" in shown


@pytest.mark.parametrize("width", [80, 140])
def test_no_figure_is_cut_off(width):
    shown = text(width, *TRIALS)
    assert "…" not in shown
    for figures in ("1 32 0.00123 2 1,956 ±18%", "45.4 ±117%", "11,738", "undecided", "over SLO", "INFEASIBLE"):
        assert figures in shown


def test_a_row_has_its_figures_side_by_side():
    (row,) = [line for line in lines(80, *TRIALS) if line.split()[:1] == ["1"]]
    assert row.split() == ["1", "32", "0.00123", "2", "1,956", "±18%", "45.4", "±117%", "11,738", "ok"]


@pytest.mark.parametrize(
    ("width", "headings"),
    [
        pytest.param(80, {"req/s", "reqs", "status"}, id="the most important ones"),
        pytest.param(112, {"req/s", "reqs", "status", "compute", "overhead"}, id="and where the time went"),
        pytest.param(140, {"req/s", "reqs", "status", "compute", "overhead", "mean", "queue"}, id="all"),
    ],
)
def test_as_many_columns_as_fit_are_shown(width, headings):
    shown = lines(width, *TRIALS, show=trials_table)
    assert max(map(len, shown)) <= width
    words = set(" ".join(shown).split())
    assert headings <= words
    assert not ({"compute", "overhead", "mean", "queue"} - headings) & words


def test_where_knobs_take_all_the_room_they_are_folded_and_figures_stay_whole():
    knobs = {f"C.user_config.option_{letter}": 0.0123456 for letter in "abcdef"}
    shown = text(80, *(replace(one, configuration=knobs) for one in TRIALS))
    assert "…" not in shown
    assert "1,956 ±18%" in shown
    assert "45.4 ±117%" in shown


def test_where_there_is_little_room_names_of_knobs_are_folded_and_their_values_are_not():
    knobs = {"load.items_per_request": 16, "workload.encoding": "binary", "C.user_config.batch_wait_timeout_s": 0.001}
    shown = lines(80, *(replace(one, configuration=knobs) for one in TRIALS), show=trials_table)
    assert max(map(len, shown)) <= 80
    assert "16 binary 0.001" in text(80, *(replace(one, configuration=knobs) for one in TRIALS))


def test_a_file_has_wide_lines_unless_the_user_says_otherwise(monkeypatch):
    monkeypatch.delenv("COLUMNS", raising=False)
    assert screen(io.StringIO()).width == 140
    monkeypatch.setenv("COLUMNS", "100")
    assert screen(io.StringIO()).width == 100


def test_a_highest_rate_has_a_column_and_the_rate_at_which_it_was_found_makes_room():
    def with_rate(one):
        intervals = {**one.measurement.intervals, "max_rate_rps": Interval(1200, 1300)}
        return replace(one, measurement=replace(one.measurement, max_rate_rps=1250.0, intervals=intervals))

    trials = [with_rate(BASELINE), with_rate(BEST), with_rate(OPEN)]
    assert "1 32 0.00123 2 1,250 ±4% 45.4 ±117% 11,738 ok" in text(80, *trials)
    assert "Winner: trial 1 max_batch_size=32 batch_wait_timeout_s=0.00123 num_replicas=2 1,250 req/s" in text(
        80, *trials
    )
    assert "1,250 ±4% 1,956 ±18%" in text(140, *trials)


def test_the_accuracy_has_a_column_where_it_tells_trials_apart():
    same = [replace(one, details={"accuracy": 0.9694}) for one in (BASELINE, BEST)]
    assert not any("accuracy" in line for line in lines(200, *same, show=trials_table))
    other = replace(OPEN, details={"accuracy": 0.94712})
    shown = "\n".join(lines(200, *same, other, show=trials_table))
    assert all(word in shown for word in ("accuracy", "0.9694", "0.9471"))


def test_the_best_come_first_then_the_undecided_then_those_over_the_slo_then_the_rest():
    first = [line.split()[0] for line in lines(140, *TRIALS, show=trials_table) if line.split()]
    assert [word for word in first if word == "baseline" or word.isdigit()] == ["1", "2", "baseline", "3", "4"]


def test_what_is_not_complete_says_why_below():
    shown = text(80, *TRIALS)
    assert f"trial 3 is INVALID: {LATE}" in shown
    assert "trial 4 is INFEASIBLE: no node has room" in shown


def test_doubts_about_a_complete_trial_are_told_too():
    assert f"trial 1: not to be trusted: {LATE}" in text(
        80, BASELINE, replace(BEST, reasons=(f"not to be trusted: {LATE}",))
    )


@pytest.mark.parametrize(
    ("trials", "words"),
    [
        pytest.param([BASELINE, BEST], "the SLO holds, with 99 % confidence", id="shown"),
        pytest.param([BASELINE, OPEN], "too few requests were measured to be sure of latency_p99_ms", id="undecided"),
        pytest.param([BASELINE, INVALID], "No trial kept the SLO.", id="none within the SLO"),
        pytest.param([INVALID, INFEASIBLE], "No trial can be ranked: 1 could not be trusted", id="none to trust"),
        pytest.param([BASELINE, BEST], "1,956 req/s (1,604 to 2,308)", id="with its interval"),
        pytest.param([BASELINE, BEST], "from 11,738 requests in 20.1 s", id="with its requests"),
        pytest.param(
            [replace(BEST, details={"ceiling_rps": 3000.0})], "does nothing reaches 3,000 req/s", id="ceiling"
        ),
        pytest.param([replace(BEST, explanation="[it] computes")], "[it] computes", id="with what limits it"),
    ],
)
def test_the_outcome_is_told_in_words(trials, words):
    assert words in text(100, *trials)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"x": 100.0, "x_lo": 97.0, "x_hi": 103.0}, " ±3%"),
        ({"x": 100.0, "x_lo": 99.9, "x_hi": 100.1}, " ±<1%"),
        ({"x": 45.4, "x_lo": 4.0, "x_hi": 110.0}, " ±117%"),
        ({"x": -4.0, "x_lo": -5.0, "x_hi": -3.0}, " ±25%"),
        ({"x": 0.0, "x_lo": 0.0, "x_hi": 3.0}, ""),
        ({"x": 100.0, "x_lo": 97.0}, ""),
        ({"x": 100.0}, ""),
        ({}, ""),
    ],
)
def test_a_spread_is_half_of_the_interval_relative_to_the_figure(values, expected):
    assert spread(values, "x") == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (11_738.4, "11,738"),
        (145.4, "145"),
        (45.42, "45.4"),
        (7.9, "7.90"),
        (0.0123456, "0.0123"),
        (-0.5, "-0.5"),
        (0.0, "0.00"),
        (None, "–"),
        (float("nan"), "–"),
    ],
)
def test_a_figure_has_three_digits(value, expected):
    assert figure(value) == expected


def test_the_rate_that_is_shown_is_the_highest_one_where_it_was_looked_for():
    assert rate_figure(BEST) == rate_figure(INFEASIBLE) == "throughput_rps"
    looked_for = replace(BEST, measurement=replace(BEST.measurement, max_rate_rps=0.0))
    assert rate_figure(looked_for) == "max_rate_rps"


def with_cost(one, cost, p999_ms):
    details = {"cost_per_million": cost, "cost_per_million_lo": cost * 0.9, "cost_per_million_hi": cost * 1.1}
    score = replace(one.score, values=(one.score.value, cost, p999_ms), half_widths=(1.0, cost * 0.1, float("nan")))
    measurement = replace(one.measurement, percentiles={"latency_p999_ms": p999_ms})
    return replace(one, details=details, score=score, measurement=measurement)


SEVERAL = replace(
    study(
        with_cost(replace(BASELINE, score=Score(431.4, 0.0)), 0.0123, 300.0),
        with_cost(BEST, 0.0456, 100.0),
        with_cost(replace(BEST, number=2, score=Score(1900, 0.0)), 0.0789, 200.0),
    ),
    further=(Objective("cost_per_million", False), Objective("latency_p999_ms", False)),
)


def test_with_several_objectives_each_has_a_column_and_the_front_is_marked():
    screen = console(200)
    screen.print(trials_table(SEVERAL, screen))
    shown = screen.export_text()
    first = [line.split()[0] for line in shown.splitlines() if line.split()]
    assert [word for word in first if word.strip("*").isdigit() or "baseline" in word] == ["*1", "2", "*baseline"]
    assert "0.0456 ±10%" in shown
    assert {"cost", "million", "p99.9"} <= set(shown.split())
    assert "* is on the Pareto front" in shown


def test_an_objective_keeps_its_column_where_there_is_little_room():
    screen = console(80)
    screen.print(trials_table(replace(study(*TRIALS), objective="latency_mean_ms", maximize=False), screen))
    assert {"mean", "req/s"} <= set(screen.export_text().split())


def test_with_several_objectives_the_outcome_tells_all_of_them_and_the_front():
    screen = console(200)
    print_outcome(screen, SEVERAL)
    shown = " ".join(screen.export_text().split())
    assert "p99 45.4 ms (-7.72 to 98.5), cost_per_million 0.0456 (0.041 to 0.0502), p99.9 100 ms from" in shown
    front = "on the Pareto front of throughput_rps, cost_per_million, p99.9: baseline, 1"
    assert f"the best by throughput_rps; {front}" in shown


def test_the_most_frequent_batches_are_listed():
    trial = replace(BEST, batches={size: float(size) for size in range(1, 9)}, details={"batch_fill": 0.87})
    assert batches_line(trial) == "batches: 8 of 8, 7 of 7, 6 of 6, 5 of 5, 4 of 4, 3 of 3, … (87% full)"
    assert batches_line(replace(trial, batches={})) == ""


def test_padding_is_shown_where_it_is_known():
    assert padding_line(replace(BEST, details={"padding_waste": 0.4239})) == "padding: 0.424 places for each token"
    assert padding_line(replace(BEST, details={})) == ""


@pytest.mark.parametrize(
    ("details", "line"),
    [({}, ""), ({"accuracy": 1.0}, ""), ({"accuracy": 0.99874}, "accuracy, as the application tells it: 0.9987")],
    ids=["not told", "nothing is lost", "a variant's"],
)
def test_the_accuracy_is_said_where_something_is_lost(details, line):
    assert accuracy_line(replace(BEST, details=details)) == line
