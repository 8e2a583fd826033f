"""The section `workloads`: which experiments a file with several is, and what is wrong with one."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from orchestrator.cli.check import print_check
from orchestrator.errors import ExperimentError, UsageError
from orchestrator.experiment import load_experiment

FILE = """\
name: digits
app:
  import_path: serve_apps.classifier:build
  deployments:
    - name: Classifier
      num_replicas: 1
      user_config: {max_batch_size: 1}
load: {closed_loop: {concurrency: 8}}
slo: {p99_ms: 100}
objective: {minimize: latency_mean_ms}
space:
  Classifier.user_config.max_batch_size: {choice: [1, 8]}
"""
SEVERAL = """\
workloads:
  - name: one
    load: {closed_loop: {concurrency: 1}}
  - name: many
    load: {open_loop: {rate_rps: 50}}
    slo: {p99_ms: 300}
    app: {Classifier.num_replicas: 2}
"""


@pytest.fixture
def load(tmp_path):
    def loaded(text):
        path = tmp_path / "digits.yaml"
        path.write_text(text)
        return load_experiment(path)

    return loaded


def test_each_workload_is_an_experiment_with_what_it_states_in_place_of_what_the_file_does(load):
    one, many = load(FILE + SEVERAL).workloads
    assert (one.title, many.title) == ("digits:one", "digits:many")
    assert (one.load.traffic.concurrency, many.load.traffic.rate_rps) == (1, 50)
    assert [each.slo.limits() for each in (one, many)] == [{"latency_p99_ms": 100}, {"latency_p99_ms": 300}]
    assert [each.app["deployments"][0]["num_replicas"] for each in (one, many)] == [1, 2]
    assert one.space == many.space


def test_a_file_without_workloads_is_one_experiment(load):
    experiment = load(FILE)
    assert (experiment.workloads, experiment.title) == ((), "digits")
    assert experiment.of_workload(None) is experiment


def test_options_of_the_command_line_hold_for_every_workload(load):
    experiment = load(FILE + SEVERAL).with_overrides(trials=3)
    assert [one.search.trials for one in experiment.workloads] == [3, 3]


@pytest.mark.parametrize(
    ("several", "name", "words"),
    [(SEVERAL, "two", "has no workload 'two'; there are one, many"), ("", "one", "has no workload 'one'")],
)
def test_a_workload_that_is_not_there_is_named(load, several, name, words):
    with pytest.raises(UsageError, match=words):
        load(FILE + several).of_workload(name)


@pytest.mark.parametrize(
    ("several", "words"),
    [
        ("workloads: []\n", "line 13: workloads: expected a list"),
        ("workloads: {a: 1}\n", "line 13: workloads: expected a list"),
        ("workloads: [3]\n", "line 13: workloads[0]: expected a mapping with the keys name, load"),
        ("workloads:\n  - load: {closed_loop: {concurrency: 1}}\n", "workloads[0].name: is missing"),
        ("workloads:\n  - name: a b\n", "line 14: workloads[0].name: expected letters"),
        ("workloads:\n  - {name: a}\n  - {name: a}\n", "line 15: workloads[1].name: there is a workload 'a' already"),
        ("workloads:\n  - {name: a, loda: 1}\n", "did you mean 'load'"),
        (
            "workloads:\n  - name: a\n    load: {closed_loop: {concurrency: 0}}\n",
            "line 15: workloads[0].load.closed_loop.concurrency",
        ),
        ("workloads:\n  - name: a\n    app: {Clasifier.num_replicas: 2}\n", "line 15: workloads[0].app"),
        ("workloads:\n  - name: a\n    app: 3\n", "line 15: workloads[0].app: expected a mapping of paths"),
    ],
)
def test_what_is_wrong_is_named_where_it_stands(load, several, words):
    with pytest.raises(ExperimentError) as caught:
        load(FILE + several)
    assert words in str(caught.value)
    assert len(str(caught.value).splitlines()) <= 3, "once, not once for each workload"


def test_a_mistake_outside_of_the_workloads_is_told_once(load):
    with pytest.raises(ExperimentError) as caught:
        load(FILE.replace("p99_ms: 100", "p99_ms: -1") + SEVERAL.replace("    slo: {p99_ms: 300}\n", ""))
    assert str(caught.value).count("slo.p99_ms") == 1


def test_what_holds_for_one_workload_only_says_for_which(load):
    with pytest.raises(ExperimentError) as caught:
        load(FILE.replace("minimize: latency_mean_ms", "maximize: throughput_rps") + SEVERAL)
    assert "line 10: objective.maximize: under the workload 'many': the throughput of an open loop" in str(caught.value)


def test_check_lists_them_and_counts_all_of_their_time(load):
    def printed(text):
        console = Console(width=200, record=True, file=io.StringIO())
        print_check(console, load(text))
        return " ".join(console.export_text().split())

    assert "workloads: 2, with a study each, and then compared: one: closed loop of 1 client; many: open" in printed(
        FILE + SEVERAL
    )
    assert "before the comparison (one trial at a time)" in printed(FILE + SEVERAL)
    assert "workloads" not in printed(FILE)


def test_a_quick_look_has_few_trials_short_windows_and_the_first_and_the_last_workload(load):
    third = "  - name: most\n    load: {closed_loop: {concurrency: 64}}\n"
    quick = load(FILE + SEVERAL + third).quick()
    assert [one.variant for one in quick.workloads] == ["one", "most"]
    for each in (quick, *quick.workloads):
        assert (each.search.trials, each.confirm.top) == (2, 0), "the comparison measures again"
        assert (each.measure.min_s, each.measure.max_s, each.measure.warmup_max_s) == (1.0, 2.0, 1.5)


def test_a_quick_look_at_one_workload_is_confirmed(load):
    quick = load(FILE).quick()
    assert (quick.search.trials, quick.confirm.top, quick.confirm.most) == (4, 1, 3)


def test_a_quick_look_at_a_slow_application_takes_its_shortest_window_and_fewer_trials(load):
    quick = load(FILE + "measure: {min_s: 6, max_s: 20}\n").quick()
    assert (quick.measure.min_s, quick.measure.max_s, quick.search.trials) == (3, 6, 2)


def test_a_quick_look_does_not_wait_for_a_number_of_requests(load):
    whole = load(FILE + "measure: {requests: 3413}\n")
    assert (whole.measure.requests, whole.quick().measure.requests) == (3413, None)


def test_a_quick_look_is_never_longer_than_the_study_itself(load):
    text = FILE + "search: {trials: 2}\nconfirm: {top: 0}\nmeasure: {min_s: 0.5, max_s: 1}\n"
    quick = load(text).quick()
    assert (quick.search.trials, quick.confirm.top, quick.measure.min_s, quick.measure.max_s) == (2, 0, 0.5, 1)
