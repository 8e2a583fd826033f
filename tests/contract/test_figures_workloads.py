"""The figures over workloads: that they can be had of any comparison, and what stands in them."""

import re
from dataclasses import replace

import pytest
from plotly.offline import get_plotlyjs

from orchestrator.figures.workloads import Axis, workloads_page
from orchestrator.figures.workloads.by_load import by_load_figure
from orchestrator.figures.workloads.gains import gains_figure
from orchestrator.figures.workloads.looks import line
from orchestrator.figures.workloads.process import process_figure
from orchestrator.figures.workloads.regrets import DARKEST, regrets_figure
from orchestrator.figures.workloads.spread import spread_figure
from orchestrator.figures.workloads.times import times_figure
from orchestrator.result import Score, Status
from orchestrator.several import Searched, Several
from tests.fakes.studies import study, trial

SECTIONS = ("gains", "regrets", "by-load", "times", "process", "spread")
CLIENTS = Axis("concurrent clients", {"few": 2, "many": 60})
ROW = tuple(float(ms) for ms in range(1, 202))


def one(number, batch, value, violation=0.0, **changes):
    made = trial(number, {"A.batch": batch}, value, violation, spread=0.1, **changes)
    return replace(made, score=made.score and Score(value, violation, half_widths=(0.1 * value,)), sorted_ms=ROW)


def searched(*values, random_trials=2, failed=()):
    """A study whose trials have these figures, the baseline first; those over 900 break the SLO."""
    trials = [one(n, n + 1, value, 0.5 if value > 900 else 0.0) for n, value in enumerate(values)]
    trials += [one(n, n + 1, 0, status=Status.FAILED) for n in failed]
    return Searched(study(trials), random_trials)


def several(few, many, searches=None):
    """Contenders with batches of 1, 3 and 4, and these figures under two workloads; None where it is INVALID."""
    searches = searches or {"few": searched(100, 90, 120, 110), "many": searched(100, 300, 950, 800, failed=(4,))}

    def compared(values):
        pairs = zip((1, 3, 4), values, strict=True)
        return study(
            one(
                n,
                batch,
                value or 1,
                0.5 if value == 0 else 0.0,
                status=Status.INVALID if value is None else Status.COMPLETE,
            )
            for n, (batch, value) in enumerate(pairs)
        )

    contenders = tuple({"A.batch": batch} for batch in (1, 3, 4))
    return Several(searches, contenders, {"few": compared(few), "many": compared(many)})


GOOD = several([100, 130, 120], [100, 300, 900])
NOTHING = Several({"few": searched(100), "many": searched(100)}, ({"A.batch": 1},), {})


def traces(figure):
    """{name in the legend: traces} of those that show something."""
    found = {}
    for trace in figure.data:
        if trace.x is not None and len(trace.x):
            found.setdefault(trace.name, []).append(trace)
    return found


@pytest.mark.parametrize(
    ("found", "drawn"),
    [
        pytest.param(GOOD, "gains regrets by-load times process spread", id="all there"),
        pytest.param(NOTHING, "process", id="nothing but baselines"),
        pytest.param(
            several([None] * 3, [100, 300, 900]),
            "gains by-load times process spread",
            id="one workload not to be trusted",
        ),
        pytest.param(several([0] * 3, [1] * 3), "gains by-load times process spread", id="none keeps the SLO"),
        pytest.param(
            several([1] * 3, [1] * 3, {w: Searched(study([])) for w in ("few", "many")}),
            "regrets by-load times",
            id="no trial",
        ),
        pytest.param(
            replace(GOOD, compared={w: replace(s, objective="latency_p95_ms") for w, s in GOOD.compared.items()}),
            "gains regrets by-load times process spread",
            id="another objective",
        ),
    ],
)
@pytest.mark.parametrize("axis", [Axis(), CLIENTS], ids=["by name", "a row"])
def test_of_any_comparison_there_is_a_page_that_shows_or_says_something_in_every_section(found, drawn, axis):
    html = workloads_page("x", found, axis)
    sections = re.findall(r'<section id="([a-z-]+)">(.*?)</section>', html, re.DOTALL)
    assert tuple(name for name, _ in sections) == SECTIONS
    assert [name for name, content in sections if "Plotly.newPlot" in content] == drawn.split()
    assert all("<p>" in content for _, content in sections)


def test_the_page_needs_nothing_from_elsewhere_and_has_the_library_once():
    html = workloads_page("x", GOOD, CLIENTS)
    assert not re.findall(r"<(?:script|link|img|iframe)[^>]*(?:src|href)=", html)
    assert html.count(get_plotlyjs()) == 1
    assert workloads_page("x", GOOD, CLIENTS) == html


def test_gains_stand_at_the_numbers_of_their_workloads_with_intervals():
    shown = {name: found[0] for name, found in traces(gains_figure(GOOD, CLIENTS)).items() if name != "no gain"}
    assert list(shown) == ["over the baseline", "over the best at random"]
    over_baseline = shown["over the baseline"]
    assert list(over_baseline.x) == [2, 60]
    assert list(over_baseline.y) == pytest.approx([1.3, 9.0])
    assert list(over_baseline.error_y.array) == pytest.approx([1.3 * 0.1 * 2**0.5, 9 * 0.1 * 2**0.5])
    assert over_baseline.mode == "lines+markers"


def test_workloads_that_are_no_row_stand_side_by_side_and_are_not_joined():
    (trace,) = traces(gains_figure(GOOD, Axis()))["over the baseline"]
    assert (list(trace.x), trace.mode) == (["few", "many"], "markers")


@pytest.mark.parametrize(
    ("numbers", "kind"),
    [
        pytest.param((1, 5, 10, 20, 30, 40, 50, 60), "linear", id="steps"),
        pytest.param((1, 2, 4, 8, 16, 32, 64, 128), "log", id="doublings"),
        pytest.param((0, 1, 1000), "linear", id="zero has no logarithm"),
        pytest.param((7,), "linear", id="one alone"),
    ],
)
def test_an_axis_of_numbers_is_even_unless_some_would_fall_together(numbers, kind):
    look = Axis("x", {str(number): number for number in numbers}).look
    assert (look["type"], look["tickvals"]) == (kind, list(numbers))


def test_the_label_of_a_configuration_with_many_knobs_has_several_lines():
    many = tuple({f"A.knob_{letter}": batch for letter in "abcdefg"} for batch in (1, 3, 4))
    few, tall = regrets_figure(GOOD), regrets_figure(replace(GOOD, contenders=many))
    assert tall.data[0].y[0].startswith("<b>recommended: ")
    assert all(len(line) < 60 for label in tall.data[0].y for line in label.split("<br>"))
    assert tall.layout.height > few.layout.height


def test_regrets_have_the_best_compromise_first_and_the_recommended_one_marked():
    (first, *_) = regrets_figure(GOOD).data
    assert first.y[0] == "<b>recommended: [2]  batch=4</b>"
    assert [row.split()[0] for row in first.y[1:]] == ["[1]", "baseline"]
    assert list(first.x) == ["few", "many", "<b>mean</b>"]
    assert first.text[0] == ["7.7%", "0.0%", "3.8%"]
    assert first.zmax == pytest.approx(8 / 9)
    assert regrets_figure(several([100, 130, 1], [100, 300, 900])).data[0].zmax < DARKEST


def test_a_place_without_a_regret_says_why():
    within, gaps = regrets_figure(several([0, 130, 120], [100, None, 900])).data
    texts = {name.split("batch=")[1][0]: row for name, row in zip(gaps.y, gaps.text, strict=True)}
    assert texts == {"1": ["over SLO", "", ""], "3": ["", "not measured", ""], "4": ["", "", ""]}
    assert [value for row in within.z for value in row].count(None) == 4, "two of them, and their means"


def test_latency_and_throughput_are_those_of_the_comparison():
    shown = traces(by_load_figure(GOOD, CLIENTS))
    assert set(shown) == {"the baseline", "recommended for the workload", "recommended for all workloads"}
    latency, throughput = shown["recommended for the workload"]
    assert list(latency.y) == pytest.approx([10, 10])
    assert list(throughput.y) == [130, 900]
    assert [trace.showlegend for trace in (latency, throughput)] == [True, False]
    assert list(shown["recommended for all workloads"][1].y) == [120, 900]


def test_another_objective_has_a_panel_of_its_own():
    compared = {w: replace(s, objective="latency_p99_ms") for w, s in GOOD.compared.items()}
    figure = by_load_figure(replace(GOOD, compared=compared), CLIENTS)
    assert [note.text for note in figure.layout.annotations] == [
        "mean response time, ms",
        "throughput, req/s",
        "p99 response time, ms",
    ]


def test_sorted_times_are_those_of_what_is_recommended_and_a_line_a_workload():
    figure = times_figure(GOOD)
    assert [trace.name for trace in figure.data] == ["few", "many"]
    assert (figure.data[0].x[0], figure.data[0].x[-1], list(figure.data[0].y)) == (0, 1, list(ROW))
    assert figure.layout.title.text == "Response times in order, of what is recommended for all"
    assert [trace.name for trace in times_figure(several([None] * 3, [100, 300, 900])).data] == ["many"]
    older = {w: replace(s, trials=tuple(replace(t, sorted_ms=()) for t in s.trials)) for w, s in GOOD.compared.items()}
    assert times_figure(replace(GOOD, compared=older)) is None, "of a release that did not keep them"


def test_lines_of_many_workloads_all_differ():
    assert len({(line(index)["color"], line(index)["dash"]) for index in range(42)}) == 42


def test_the_search_is_shown_with_both_phases_the_slo_and_the_winner():
    shown = traces(process_figure(GOOD))
    few, many = ({name: found[at] for name, found in shown.items() if len(found) == 2} for at in (0, 1))
    assert (list(few["the baseline"].x), list(few["drawn at random"].x)) == ([0], [1, 2])
    assert list(few["proposed by hyperopt"].x) == [3]
    assert (list(few["the winner"].x), list(many["the winner"].x)) == ([2], [3])
    (over,) = shown["open: over the SLO"]
    assert (list(over.x), over.marker.symbol) == ([2], "square-open")
    assert list(few["best within the SLO so far"].y) == [100, 100, 120, 120]
    assert sum(trace.showlegend for trace in shown["the winner"]) == 1


def test_what_was_drawn_at_random_is_boxed_apart_from_what_was_proposed():
    figure = spread_figure(GOOD)
    boxes = [trace for trace in figure.data if trace.type == "box"]
    assert [(box.name, list(box.y)) for box in boxes] == [
        ("drawn at random", [90, 120]),
        ("proposed by hyperopt", [110]),
        ("drawn at random", [300, 950]),
        ("proposed by hyperopt", [800]),
    ]
    assert [list(trace.y) for trace in figure.data if trace.name == "the baseline"] == [[100, 100], [100, 100]]


def test_trials_that_no_figure_shows_are_counted():
    assert "Not shown are trials that were not measured, or not to be trusted: 1 of many." in workloads_page(
        "x", GOOD, CLIENTS
    )
