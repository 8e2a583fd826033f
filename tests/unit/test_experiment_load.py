"""The section `load` of an experiment file: what it means, and what a reader is told when it is wrong."""

import pickle

import pytest
from pydantic import ValidationError

from orchestrator.cli.check import load_text
from orchestrator.errors import ExperimentError
from orchestrator.experiment import Bursts, ClosedLoop, Load, MaxRate, Ramp, Steady, Trace, load_experiment
from orchestrator.load.plan import MAX_CONNECTIONS

FILE = """\
app: {import_path: "serve_apps.classifier:build",
  args: {model: digits},
  deployments: [{name: Classifier}]}
load: LOAD
objective: {minimize: latency_p99_ms}
slo: {p99_ms: 50}
space: {args.model: {choice: [digits, other]}}
"""
MAXIMUM = "objective: {maximize: max_rate_rps}"


def experiment_of(tmp_path, load, objective="objective: {minimize: latency_p99_ms}", **sections):
    """The file with this load, and with other or more sections."""
    text = FILE.replace("LOAD", load).replace("objective: {minimize: latency_p99_ms}", objective)
    for name, section in sections.items():
        text = text.replace("slo: {p99_ms: 50}", section) if name == "slo" else f"{text}{name}: {section}\n"
    (tmp_path / "x.yaml").write_text(text)
    return load_experiment(tmp_path / "x.yaml")


def problems_of(tmp_path, *args, **sections):
    with pytest.raises(ExperimentError) as caught:
        experiment_of(tmp_path, *args, **sections)
    return [str(problem) for problem in caught.value.problems]


LOADS = {
    "closed loop": ("{closed_loop: {concurrency: 2}}", ClosedLoop(concurrency=2), "closed loop of 2 clients"),
    "closed loop with a pause": (
        "{closed_loop: {concurrency: 1, think_time_s: 0.5}}",
        ClosedLoop(concurrency=1, think_time_s=0.5),
        "closed loop of 1 client, each pausing 0.5 s before its next request",
    ),
    "open loop": ("{open_loop: {rate_rps: 200}}", Steady(rate_rps=200), "open loop of 200 req/s, poisson arrivals"),
    "evenly spaced": (
        "{open_loop: {rate_rps: 2.5, arrivals: constant}}",
        Steady(rate_rps=2.5, arrivals="constant"),
        "open loop of 2.5 req/s, constant arrivals",
    ),
    "bursts": (
        "{open_loop: {rate_rps: 200, arrivals: bursts, on_s: 0.5}}",
        Bursts(arrivals="bursts", rate_rps=200, on_s=0.5, off_s=1),
        "open loop of 200 req/s on average, in bursts: 0.5 s on, 1 s off",
    ),
    "trace": (
        "{open_loop: {arrivals: trace, trace: times.txt}}",
        Trace(arrivals="trace", trace="times.txt", speed=1),
        "open loop, arrivals of times.txt",
    ),
    "trace at another speed": (
        "{open_loop: {arrivals: trace, trace: times.txt, speed: 2}}",
        Trace(arrivals="trace", trace="times.txt", speed=2),
        "open loop, arrivals of times.txt at 2 times their speed",
    ),
    "ramp with a step": (
        "{open_loop: {arrivals: ramp, ramp: [[0, 50], [10, 400], [10, 100], [20, 100]]}}",
        Ramp(arrivals="ramp", ramp=((0, 50), (10, 400), (10, 100), (20, 100))),
        "open loop, ramp of 50 to 400 to 100 to 100 req/s in 20 s",
    ),
}


@pytest.mark.parametrize(("yaml", "traffic", "text"), LOADS.values(), ids=LOADS)
def test_a_load_is_what_its_kind_says(tmp_path, yaml, traffic, text):
    (tmp_path / "times.txt").write_text("0\n9\n")
    load = experiment_of(tmp_path, yaml).load
    assert load.traffic == traffic
    assert getattr(load, load.kind) == traffic
    assert load_text(load) == text
    assert pickle.loads(pickle.dumps(load)) == load


def test_the_highest_rate_is_looked_for_where_the_file_says(tmp_path):
    load = experiment_of(tmp_path, "{max_rate: {}}", MAXIMUM).load
    assert (load.kind, load.max_rate) == ("max_rate", MaxRate())
    assert load_text(load) == "the highest rate within the SLO, to ±5%, poisson arrivals"
    load = experiment_of(tmp_path, "{max_rate: {start_rps: 50, highest_rps: 900, precision: 0.1}}", MAXIMUM).load
    assert load.max_rate == MaxRate(start_rps=50, highest_rps=900, precision=0.1)
    assert load_text(load).endswith("to ±10%, poisson arrivals, from 50 up to 900 req/s")


def test_what_a_load_does_not_say_has_a_default(tmp_path):
    load = experiment_of(tmp_path, "{closed_loop: {concurrency: 2}}").load
    assert (load.clients, load.placement, load.items_per_request, load.seed) == ("auto", "same_node", 1, 0)
    assert load.max_connections == MAX_CONNECTIONS


def test_what_a_load_says_beside_its_kind_is_kept(tmp_path):
    beside = "clients: 3, placement: other_node, items_per_request: 8, max_connections: 64, seed: 7"
    load = experiment_of(tmp_path, f"{{open_loop: {{rate_rps: 9}}, {beside}}}").load
    assert (load.clients, load.placement, load.items_per_request) == (3, "other_node", 8)
    assert (load.max_connections, load.seed) == (64, 7)
    assert load_text(load).endswith("8 items a request, from 3 client processes, sent from another node")


KEYS = "closed_loop, open_loop, max_rate, clients, placement, items_per_request, max_connections, seed"
RAMP = "a ramp is a list of at least two points [seconds, req/s], such as [[0, 50], [10, 400]]"

WRONG = {
    "no mapping": ("3", [f"load: expected a mapping with the keys {KEYS}; found 3"]),
    "no kind": ("{seed: 1}", ["load: has no kind: expected one of closed_loop, open_loop, max_rate"]),
    "two kinds": (
        "{closed_loop: {concurrency: 1}, open_loop: {rate_rps: 1}}",
        ["load.open_loop: a load is one of closed_loop, open_loop, max_rate; found closed_loop and open_loop"],
    ),
    "a kind that is spelt wrong": (
        "{open_lop: {rate_rps: 1}}",
        [f"load.open_lop: unknown key 'open_lop'; did you mean 'open_loop'? allowed: {KEYS}"],
    ),
    "everything wrong at once": (
        "{clients: many, seed: -1, placement: othernode, open_loop: {rate_rps: 0, arrivals: constant}}",
        ["load.clients: expected 'auto' or a whole number, found 'many'",
         "load.seed: expected a number of at least 0, found -1",
         "load.placement: expected 'same_node' or 'other_node', found 'othernode'; did you mean 'other_node'?",
         "load.open_loop.rate_rps: expected a number above 0, found 0"],
    ),
    "no clients": (
        "{closed_loop: {concurrency: 1}, clients: 0}",
        ["load.clients: expected 'auto' or a number of at least 1, found 0"],
    ),
    "more processes than clients": (
        "{closed_loop: {concurrency: 2}, clients: 3}",
        ["load.clients: 3 client processes cannot share 2 clients of closed_loop.concurrency"],
    ),
    "more processes than connections": (
        "{open_loop: {rate_rps: 1}, max_connections: 2, clients: 3}",
        ["load.clients: 3 client processes cannot share 2 connections of max_connections"],
    ),
    "connections of a closed loop": (
        "{closed_loop: {concurrency: 2}, max_connections: 9}",
        ["load.max_connections: does nothing here: a closed loop has one connection for each of its clients"],
    ),
    "negative pause": (
        "{closed_loop: {concurrency: 2, think_time_s: -1}}",
        ["load.closed_loop.think_time_s: expected a number of at least 0, found -1"],
    ),
    "open loop that is no mapping": (
        "{open_loop: 200}",
        ["load.open_loop: expected a mapping such as {rate_rps: 200, arrivals: poisson}; found 200"],
    ),
    "open loop without a rate": ("{open_loop: {}}", ["load.open_loop.rate_rps: is missing"]),
    "arrivals that are spelt wrong": (
        "{open_loop: {arrivals: poison}}",
        ["load.open_loop.arrivals: unknown kind of arrivals 'poison'; did you mean 'poisson'? "
         "allowed: poisson, constant, bursts, trace, ramp"],
    ),
    "arrivals that are no text": (
        "{open_loop: {arrivals: [poisson]}}",
        ["load.open_loop.arrivals: unknown kind of arrivals '['poisson']'; did you mean 'poisson'? "
         "allowed: poisson, constant, bursts, trace, ramp"],
    ),
    "keys of other arrivals": (
        "{open_loop: {trace: times.txt, ramp: []}}",
        ["load.open_loop.trace: 'trace' goes with arrivals: trace; poisson takes arrivals, rate_rps",
         "load.open_loop.ramp: 'ramp' goes with arrivals: ramp; poisson takes arrivals, rate_rps"],
    ),
    "a rate where others have one": (
        "{open_loop: {rate_rps: 5, arrivals: ramp, ramp: [[0, 1], [9, 1]], slope: 1}}",
        ["load.open_loop.rate_rps: 'rate_rps' goes with arrivals: poisson or constant or bursts; "
         "ramp takes arrivals, ramp",
         "load.open_loop.slope: unknown key 'slope'; allowed: arrivals, ramp"],
    ),
    "bursts that are never on": (
        "{open_loop: {rate_rps: 5, arrivals: bursts, on_s: 0}}",
        ["load.open_loop.on_s: expected a number above 0, found 0"],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("yaml", "expected"), WRONG.values(), ids=WRONG)
def test_a_wrong_load_is_explained(tmp_path, yaml, expected):
    assert problems_of(tmp_path, yaml) == [f"line 4: {sentence}" for sentence in expected]


@pytest.mark.parametrize(
    ("points", "says"),
    [
        pytest.param("5", f"{RAMP}; found 5", id="a number"),
        pytest.param("[[0, 5]]", f"{RAMP}; found [[0, 5]]", id="one point"),
        pytest.param("[[0, 5], [9, many]]", f'{RAMP}; found the point [9, "many"]', id="text"),
        pytest.param("[[0, 5], [9]]", f"{RAMP}; found the point [9]", id="half a point"),
        pytest.param("[[0, 5], 9]", f"{RAMP}; found the point 9", id="no point"),
        pytest.param("[[0, -5], [9, 1]]", "the point [0, -5] has a rate below 0", id="negative rate"),
        pytest.param(
            "[[1, 5], [9, 1]]",
            "the first point is at 0 s, when the load starts; found [1, 5]",
            id="starts later",
        ),
        pytest.param(
            "[[0, 5], [9, 1], [8, 1]]", "the point [8, 1] is earlier than the one before it", id="out of order"
        ),
        pytest.param("[[0, 5], [0, 1]]", "the last point, at which the load ends, is at 0 s", id="no time"),
        pytest.param("[[0, 0], [9, 0]]", "every point has the rate 0: nothing would be sent", id="no requests"),
        pytest.param(
            "[[0, 5], [2, 5]]",
            "ends after 2 s, before measure.warmup_s and measure.min_s have passed (3 s)",
            id="too short",
        ),
    ],
)
def test_a_wrong_ramp_is_explained(tmp_path, points, says):
    told = problems_of(tmp_path, f"{{open_loop: {{arrivals: ramp, ramp: {points}}}}}")
    assert told == [f"line 4: load.open_loop.ramp: {says}"]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        pytest.param("0\n1.5\nsoon\n", "{file}, line 3: 'soon' is not a time in seconds", id="no number"),
        pytest.param("0\n2\n1\n", "{file}, line 3: '1' is before the line above", id="out of order"),
        pytest.param("# nothing\n", "{file}: there is no time in this file", id="empty"),
        pytest.param(
            "5\n7\n", "ends after 2 s, before measure.warmup_s and measure.min_s have passed (3 s)", id="too short"
        ),
    ],
)
def test_a_trace_is_read_when_the_file_is_checked(tmp_path, content, says):
    (tmp_path / "times.txt").write_text(content)
    told = problems_of(tmp_path, "{open_loop: {arrivals: trace, trace: times.txt}}")
    assert told == [f"line 4: load.open_loop.trace: {says.format(file=tmp_path / 'times.txt')}"]


def test_a_trace_that_is_not_there_is_an_error_with_the_nearest_name(tmp_path):
    (tmp_path / "times.txt").write_text("0\n")
    (told,) = problems_of(tmp_path, "{open_loop: {arrivals: trace, trace: time.txt}}")
    assert told.endswith("time.txt: no such file or directory; did you mean 'times.txt'?")


RATE = "slo: {p99_ms: 50, error_ratio: 0.001}"

AGAINST_OTHERS = {
    "a highest rate without an SLO": (
        ("{max_rate: {}}", MAXIMUM), {"slo": "slo: {}"},
        [f"line 4: load.max_rate: is the highest rate at which the SLO holds, and there is none; "
         f"add for example {RATE}"],
    ),
    "a highest rate with an SLO that cannot be read": (
        ("{max_rate: {}}", MAXIMUM), {"slo": "slo: {p99_ms: 0}"},
        ["line 6: slo.p99_ms: p99_ms is 0, but takes a number of milliseconds above 0"],
    ),
    "a highest rate below the first": (
        ("{max_rate: {start_rps: 50, highest_rps: 20}}", MAXIMUM), {},
        ["line 4: load.max_rate.highest_rps: highest_rps (20) is below start_rps (50)"],
    ),
    "arrivals whose rate cannot be searched": (
        ("{max_rate: {arrivals: bursts}}", MAXIMUM), {},
        ["line 4: load.max_rate.arrivals: expected 'poisson' or 'constant', found 'bursts'"],
    ),
    "another objective than the highest rate": (
        ("{max_rate: {}}",), {},
        ["line 5: objective.minimize: with load.max_rate the objective is {maximize: max_rate_rps} or "
         "{minimize: cost_per_million}; each configuration's latency_p99_ms would be that of another rate"],
    ),
    "another objective beside the highest rate": (
        ("{max_rate: {}}", "objective: [{maximize: max_rate_rps}, {minimize: latency_mean_ms}]"), {},
        ["line 5: objective[1].minimize: with load.max_rate the objective is {maximize: max_rate_rps} or "
         "{minimize: cost_per_million}; each configuration's latency_mean_ms would be that of another rate"],
    ),
    "the cost of nodes at a rate that is given": (
        ("{open_loop: {rate_rps: 1}}", "objective: {minimize: cost_per_million}"), {"prices": "{node_hour: 1}"},
        ["line 5: objective.minimize: at a rate that is given, every configuration costs the same: one node an hour; "
         "price what it reserves (prices.cpu_hour), or look for the highest rate: load.max_rate"],
    ),
    "the highest rate of another load": (
        ("{closed_loop: {concurrency: 1}}", MAXIMUM), {},
        ["line 5: objective.maximize: max_rate_rps is what load.max_rate looks for; found load.closed_loop"],
    ),
    "the throughput of an open loop": (
        ("{open_loop: {rate_rps: 1}}", "objective: {maximize: throughput_rps}"), {},
        ["line 5: objective.maximize: the throughput of an open loop is the rate that is offered, whatever the "
         "configuration; minimize a latency, or look for the highest rate: load.max_rate and "
         "{maximize: max_rate_rps}"],
    ),
    "an objective that cannot be read": (
        ("{max_rate: {}}", "objective: {maximize: rate}"), {},
        ["line 5: objective.maximize: unknown figure to maximize 'rate'; "
         "allowed: throughput_rps, items_per_s, goodput_rps, max_rate_rps"],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("args", "sections", "expected"), AGAINST_OTHERS.values(), ids=AGAINST_OTHERS)
def test_a_load_that_does_not_go_with_the_rest_is_explained(tmp_path, args, sections, expected):
    assert problems_of(tmp_path, *args, **sections) == expected


def test_the_cost_tells_configurations_apart_under_any_load(tmp_path):
    both = "objective: [{maximize: max_rate_rps}, {minimize: cost_per_million}]"
    assert experiment_of(tmp_path, "{max_rate: {}}", both, slo=RATE, prices="{node_hour: 1}")
    cost = "objective: {minimize: cost_per_million}"
    assert experiment_of(tmp_path, "{open_loop: {rate_rps: 1}}", cost, prices="{cpu_hour: 1}")
    assert experiment_of(tmp_path, "{closed_loop: {concurrency: 1}}", cost, prices="{node_hour: 1}")


def test_goodput_tells_configurations_apart_under_an_open_loop(tmp_path):
    assert experiment_of(tmp_path, "{open_loop: {rate_rps: 1}}", "objective: {maximize: goodput_rps}")


@pytest.mark.parametrize(
    ("yaml", "limits"),
    [
        pytest.param("{}", (1, 10), id="nothing stated"),
        pytest.param("{warmup_s: 20}", (20, 20), id="a long minimum moves the maximum"),
        pytest.param("{warmup_s: 0, warmup_max_s: 0}", (0, 0), id="none at all"),
        pytest.param("{warmup_max_s: 30}", (1, 30), id="a maximum"),
    ],
)
def test_warm_up_has_a_shortest_and_a_longest_time(tmp_path, yaml, limits):
    measure = experiment_of(tmp_path, "{closed_loop: {concurrency: 1}}", measure=yaml).measure
    assert (measure.warmup_s, measure.warmup_max_s) == limits


@pytest.mark.parametrize(
    ("yaml", "says"),
    [
        pytest.param("{warmup_s: 3, warmup_max_s: 2}", "warmup_max_s (2) is below warmup_s (3)", id="wrong order"),
        pytest.param("{warmup_max_s: 0.5}", "warmup_max_s (0.5) is below warmup_s (1)", id="below the default"),
        pytest.param("{warmup_max_s: long}", "expected a number, found 'long'", id="text"),
    ],
)
def test_a_longest_warm_up_that_makes_no_sense_is_refused(tmp_path, yaml, says):
    told = problems_of(tmp_path, "{closed_loop: {concurrency: 1}}", measure=yaml)
    assert told == [f"line 8: measure.warmup_max_s: {says}"]


def test_a_load_has_one_kind_wherever_it_comes_from():
    for kinds in ({}, {"closed_loop": ClosedLoop(concurrency=1), "max_rate": MaxRate()}):
        with pytest.raises(ValidationError, match="a load is one of closed_loop, open_loop, max_rate"):
            Load(**kinds)
