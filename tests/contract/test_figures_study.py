"""The figures of a study: that they can be had of any study, and what stands in them."""

import re
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from plotly.offline import get_plotlyjs

from orchestrator.figures import PAGE, study_figures
from orchestrator.figures.batches import normalised_figure
from orchestrator.figures.breakdown import MOST, breakdown_figure
from orchestrator.figures.convergence import convergence_figure
from orchestrator.figures.heat import heat_figure
from orchestrator.figures.page import Section, page
from orchestrator.figures.sensitivity import sensitivity_figure
from orchestrator.figures.style import MOST_DRAWN, Kind, sample
from orchestrator.figures.tradeoff import tradeoff_figure
from orchestrator.figures.words import axis_of, hovering
from orchestrator.insight import Sensitivity, insight_of
from orchestrator.measure.interval import Interval
from orchestrator.result import Status
from tests.fakes.studies import space, study, trial

ROOT = Path(__file__).parents[2]
KNOBS = space(**{"A.batch": {"choice": [1, 2, 4]}, "A.wait": {"uniform": [0, 1]}})
BRANCHES = space(mode={"condition": {"off": {}, "on": {"batch": {"choice": [1, 2]}}}})
PARTS = {"compute_share": 0.4, "network_share": 0.6, "compute_ms_tail": 9.0}
LIMITS = {"latency_p99_ms": 20.0, "error_ratio": 0.001}


def one(number, value=100.0, batch=1, wait=0.5, **changes):
    return trial(number, {"A.batch": batch, "A.wait": wait}, value, **changes)


EVERY_KIND = [
    one(0, 50, details=PARTS),
    one(1, 80, batch=2, shown=False, spread=0.1, details=PARTS),
    one(2, 100, batch=4, spread=0.1, p99=12.0, details=PARTS),
    one(3, 200, batch=4, violation=1.0, p99=40.0),
    one(4, 70, status=Status.INVALID),
    one(5, status=Status.FAILED),
    one(6, status=Status.INFEASIBLE),
]
PRUNED = {"the batch cannot form": 7}
SECTIONS = ("convergence", "tradeoff", "sensitivity", "heat-map", "breakdown")


def insight(trials, knobs=KNOBS, random_trials=2, **kind):
    return insight_of(study(trials, **kind), knobs, random_trials)


@pytest.fixture(scope="module")
def everything():
    return study_figures(insight(EVERY_KIND), LIMITS, PRUNED)


def traces(figure):
    """{name in the legend: trace} of those that show something."""
    return {trace.name: trace for trace in figure.data if trace.x is not None and len(trace.x)}


@pytest.mark.parametrize(
    ("found", "drawn"),
    [
        pytest.param(insight(EVERY_KIND), "convergence tradeoff heat-map breakdown", id="every kind of trial"),
        pytest.param(insight([]), "convergence", id="no trial at all"),
        pytest.param(insight([one(0)]), "convergence tradeoff", id="the baseline alone"),
        pytest.param(insight([one(0, status=Status.FAILED)]), "convergence", id="nothing measured"),
        pytest.param(
            insight([one(0, violation=1), one(1, batch=2, violation=2)]),
            "convergence tradeoff heat-map",
            id="over the SLO",
        ),
        pytest.param(
            insight([one(0, p99=float("nan")), one(1, batch=2, p99=float("nan"))]), "convergence heat-map", id="no p99"
        ),
        pytest.param(
            insight([trial(0, {"a": 1}), trial(1, {"a": 2})], space(a={"randint": [1, 2]})),
            "convergence tradeoff heat-map",
            id="one knob",
        ),
        pytest.param(
            insight(
                [trial(0, {"mode": "off"}), trial(1, {"mode": "on", "batch": 1}), trial(2, {"mode": "on", "batch": 2})],
                BRANCHES,
            ),
            "convergence tradeoff heat-map",
            id="conditional knobs",
        ),
        pytest.param(
            insight([one(0, 9), one(1, 7, batch=2)], maximize=False, objective="cost_per_million"),
            "convergence tradeoff heat-map",
            id="less is better",
        ),
    ],
)
def test_of_any_study_there_is_a_page_that_shows_or_says_something_in_every_section(found, drawn):
    html = study_figures(found, LIMITS)[PAGE]
    sections = re.findall(r'<section id="([a-z-]+)">(.*?)</section>', html, re.DOTALL)
    assert tuple(name for name, _ in sections) == SECTIONS
    assert [name for name, content in sections if "Plotly.newPlot" in content] == drawn.split()
    assert all("<p>" in content for _, content in sections)


def test_the_page_needs_nothing_from_elsewhere_and_has_the_library_once(everything):
    html = everything[PAGE]
    assert not re.findall(r"<(?:script|link|img|iframe)[^>]*(?:src|href)=", html)
    assert html.count(get_plotlyjs()) == 1
    assert len(html.encode()) < 5_500_000


def test_the_same_study_gives_the_same_page(everything):
    assert study_figures(insight(EVERY_KIND), LIMITS, PRUNED) == everything


def test_what_users_write_cannot_break_out_of_the_page():
    html = page("<script>1", [Section("a", None, ["1 < 2 & <b>"])])
    assert "<script>1" not in html
    assert "<p>1 &lt; 2 &amp; &lt;b&gt;</p>" in html
    odd = trial(1, {"A.batch": "<b>"}, status=Status.FAILED)
    assert "A.batch = &lt;b&gt;" in hovering(study([odd]), {}, ())(odd)


def test_trials_are_told_apart_by_their_marks_and_not_by_colour_alone():
    assert len({kind.marker()["symbol"] for kind in Kind}) == len(Kind)
    shown = traces(convergence_figure(insight(EVERY_KIND), LIMITS, str))
    assert {kind.words: list(shown[kind.words].x) for kind in Kind} == {
        Kind.WITHIN.words: [0, 2],
        Kind.UNDECIDED.words: [1],
        Kind.OVER.words: [3],
        Kind.INVALID.words: [4],
        Kind.INFEASIBLE.words: [6],
        Kind.FAILED.words: [5],
    }


def test_convergence_shows_intervals_the_best_so_far_and_both_phases():
    figure = convergence_figure(insight(EVERY_KIND), LIMITS, str)
    shown = traces(figure)
    assert list(shown["best within the SLO so far"].y) == [50, 50, 100, 100, 100, 100, 100]
    assert list(shown[Kind.WITHIN.words].error_y.array) == pytest.approx([0, 10])
    assert [(shape.x0, shape.x1) for shape in figure.layout.shapes] == [(0.5, 2.5), (2.5, 6.5)]
    assert [note.text for note in figure.layout.annotations] == ["drawn at random", "proposed by hyperopt"]


def test_trials_without_a_figure_stand_in_a_band_of_their_own():
    figure = convergence_figure(insight(EVERY_KIND), LIMITS, str)
    assert traces(figure)[Kind.FAILED.words].yaxis == "y2"
    assert figure.layout.yaxis2.domain[1] < figure.layout.yaxis.domain[0]
    assert "yaxis2" not in convergence_figure(insight([one(0)]), LIMITS, str).layout


def test_a_trial_of_which_no_request_succeeded_has_no_figure_either():
    failed = replace(one(1, 0.0, status=Status.INVALID), status=Status.FAILED, score=None)
    assert traces(convergence_figure(insight([one(0), failed]), LIMITS, str))[Kind.FAILED.words].yaxis == "y2"


def test_the_trade_off_shows_the_slo_both_intervals_and_the_front():
    figure = tradeoff_figure(insight(EVERY_KIND), LIMITS, str)
    shown = traces(figure)
    assert (list(shown["Pareto front"].x), list(shown["Pareto front"].y)) == ([10, 12, 40], [80, 100, 200])
    assert [(shape.x0, shape.name) for shape in figure.layout.shapes] == [(20.0, "SLO: 20 ms")]
    assert list(shown[Kind.UNDECIDED.words].error_y.array) == pytest.approx([8])
    assert {note.text for note in figure.layout.annotations} == {"baseline", "1", "2 (best)", "3"}
    assert tradeoff_figure(insight(EVERY_KIND), {}, str).layout.shapes == ()


def test_wide_figures_have_a_logarithmic_axis_with_the_numbers_in_their_places():
    figure = tradeoff_figure(insight([one(0, 10, p99=10.0), one(1, 20, p99=1000.0)]), LIMITS, str)
    assert figure.layout.xaxis.type == "log"
    assert sorted(note.x for note in figure.layout.annotations) == pytest.approx([1, 3])


def test_the_heat_map_leaves_open_what_was_not_measured_and_says_what_is_over_the_slo():
    trials = [one(1, 10, batch=1), one(2, 30, batch=1, wait=0.9), one(3, 99, batch=4, violation=1)]
    within, over = heat_figure(insight(trials), str).data
    assert [value for row in within.z for value in row if value is not None] == [10, 30]
    assert [text for row in within.text for text in row if text] == [
        "10.0<br>1 trial",
        "30.0<br>1 trial<br><b>the best</b>",
    ]
    assert [text for row in over.text for text in row if text] == ["over the SLO<br>99.0<br>1 trial"]


def test_importances_are_hatched_where_they_cannot_be_told():
    one, *_ = insight(EVERY_KIND).sensitivity.importances
    ranked = replace(one, share=0.6, spread=Interval(0.5, 0.7)), replace(one, share=0.1, spread=Interval(-0.1, 0.2))

    def hatches(found):
        return sensitivity_figure(replace(insight([]), sensitivity=found)).data[0].marker.pattern.shape

    assert hatches(Sensitivity(ranked, 20)) == ("/", "")  # from below
    assert hatches(Sensitivity(ranked, 20, doubt="too few")) == ("/", "/")


def test_the_breakdown_stacks_parts_of_the_best_configurations_and_the_baseline():
    trials = [one(number, number, details=PARTS) for number in range(40)]
    figure = breakdown_figure(insight(trials), {"latency_mean_ms": 15.0}, {"A.batch": "batch", "A.no": "no"}, str)
    compute = traces(figure)["computing"]
    assert len(compute.y) == MOST
    assert (compute.y[0], compute.y[-1]) == ("39: 1 · –", "baseline: 1 · –")
    assert figure.layout.shapes[0].name == "SLO: 15 ms"


def test_the_hover_text_has_the_configuration_the_figures_and_the_reasons():
    found = insight([one(1, 1234.0, spread=0.1)])
    text = hovering(found.study, {"A.batch": "batch"}, ("throughput_rps", "latency_p99_ms"))(found.study.trials[0])
    assert text.split("<br>") == [
        "<b>trial 1</b>, COMPLETE",
        "batch = 1",
        "A.wait = 0.5",
        "throughput: 1,234 (1,111 … 1,357) req/s",
        "p99 response time: 10.0 ms",
    ]


@pytest.mark.parametrize(
    ("metric", "words"),
    [
        ("throughput_rps", "throughput, req/s"),
        ("latency_p99_ms", "p99 response time, ms"),
        ("latency_mean_ms", "mean response time, ms"),
        ("cost_per_million", "cost per million requests"),
        ("something_else", "something_else"),
    ],
)
def test_axes_have_names_and_units(metric, words):
    assert axis_of(metric) == words


def test_pruned_configurations_and_odd_trials_are_told(everything):
    assert "Never deployed, by Serve&#x27;s own rules: 7 × the batch cannot form." in everything[PAGE]
    assert "Of 7 trials 1 INVALID, 1 FAILED and 1 INFEASIBLE" in everything[PAGE]


def test_of_a_long_study_a_sample_is_drawn_with_what_must_not_be_missing():
    drawn = sample(range(10 * MOST_DRAWN), lambda number: number == 1_235)
    assert len(drawn) == MOST_DRAWN + 1
    assert 1_235 in drawn
    assert sample(range(5), lambda number: False) == [0, 1, 2, 3, 4]


def test_the_example_of_the_guide_runs(tmp_path, monkeypatch, capsys):
    (example,) = re.findall(
        r"```python\n(.*?)```", (ROOT / "docs" / "insight.md").read_text(encoding="utf-8"), re.DOTALL
    )
    knobs = (
        "Classifier.user_config.max_batch_size",
        "Classifier.user_config.batch_wait_timeout_s",
        "Classifier.num_replicas",
    )
    stored = study([trial(number, dict(zip(knobs, (8, 0.01, number), strict=True))) for number in (1, 2)])
    store = SimpleNamespace(load_study=lambda ref: stored)
    monkeypatch.setattr("orchestrator.tracking.open_tracker", lambda uri, root: store)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "search_spaces").symlink_to(ROOT / "search_spaces")
    exec(example, {})
    assert "No flat region: only 1 other trial" in capsys.readouterr().out
    assert (tmp_path / PAGE).stat().st_size > 0


def job(number, batch, item_ms, engine="onnx"):
    details = {"item_ms": item_ms, "item_ms_lo": item_ms * 0.99, "item_ms_hi": item_ms * 1.01}
    return trial(number, {"args.batch_size": batch, "args.engine": engine}, 1000 / item_ms, details=details)


JOBS = [job(0, 1, 8.0), job(1, 8, 2.0), job(2, 64, 2.5), job(3, 1, 9.0, "torch"), job(4, 8, 3.0, "torch")]


def test_an_offline_study_has_the_time_of_an_item_by_batch_size_in_place_of_response_times():
    knobs = space(**{"args.batch_size": {"choice": [1, 8, 64]}, "args.engine": {"choice": ["onnx", "torch"]}})
    drawn = study_figures(insight(JOBS, knobs, objective="items_per_s"), {})[PAGE]
    assert re.findall(r'<section id="([a-z-]+)"', drawn) == [
        *("batches", "batches-normalised", "convergence", "sensitivity", "heat-map"),
    ]
    assert "onnx: an item takes least in batches of 8, 2.00 ms; batches of 8 are within 2% of that." in drawn


def test_the_normalised_figure_is_over_the_best_of_each_curve():
    knobs = space(**{"args.batch_size": {"choice": [1, 8, 64]}, "args.engine": {"choice": ["onnx", "torch"]}})
    figure = normalised_figure(insight(JOBS, knobs).batches, str)
    assert {trace.name: list(trace.y) for trace in figure.data} == {"onnx": [4.0, 1.0, 1.25], "torch": [3.0, 1.0]}
    assert figure.data[0].error_y.array[0] == pytest.approx(0.04)
    assert figure.layout.xaxis.type == "log"
