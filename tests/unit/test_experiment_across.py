"""The key `across`: what it may name, and what it makes of the time and of a quick look."""

import io

import pytest
from rich.console import Console

from orchestrator.cli.check import print_check
from orchestrator.errors import ExperimentError
from orchestrator.experiment import load_experiment, replications

JOB = """\
name: x
mode: offline
app: {import_path: "jobs:build", args: {model: a, batch_size: 1, workers: 0, rate: 0.5}}
objective: {maximize: items_per_s}
space:
  args.model: {choice: [a, b, c]}
  args.batch_size: {choice: [1, 8, 32, 64]}
  args.workers: {choice: [0, 1, 2, 4]}
  args.rate: {uniform: [0, 1]}
across: args.model
search: {algorithm: grid, trials: 239}
"""

SERVED = """\
name: x
app: {import_path: serve_apps.photos:build, args: {model: a}, deployments: [{name: Reader}]}
load: {closed_loop: {concurrency: 1}}
objective: {maximize: throughput_rps}
space:
  args.model: {choice: [a, b, c]}
  Reader.num_replicas: {choice: [1, 2, 4]}
across: args.model
search: {algorithm: grid, trials: 8}
"""


@pytest.fixture
def load(tmp_path):
    def load(text):
        (tmp_path / "x.yaml").write_text(text)
        return load_experiment(tmp_path / "x.yaml")

    return load


@pytest.mark.parametrize("text", [JOB, SERVED], ids=["offline", "serving"])
def test_a_knob_is_named_for_all_of_whose_values_one_configuration_is_wanted(load, text):
    assert load(text).across == "args.model"
    assert load(text.replace("across: args.model\n", "")).across is None


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("across: args.model", "across: args.modle", "'args.modle' is no knob of space; did you mean args.model?"),
        ("across: args.model", "across: zzz", "'zzz' is no knob of space; there are args.model, args.batch_size"),
        ("across: args.model", "across: [args.model]", "expected the path of a knob in space, found"),
        ("across: args.model", "across: args.rate", "args.rate is uniform 0 … 1, but takes a list of at least two"),
        ("[a, b, c]", "[a]", "args.model is choice a, but takes a list of at least two values"),
        ("{choice: [a, b, c]}", "{condition: {a: {}, b: {}}}", "args.model is a condition"),
    ],
)
def test_what_cannot_be_is_explained_at_its_place(load, old, new, message):
    assert old in JOB
    with pytest.raises(ExperimentError) as caught:
        load(JOB.replace(old, new))
    (problem,) = caught.value.problems
    assert message in str(problem)
    assert problem.path == "across"
    assert problem.line


def test_with_no_other_knob_there_is_nothing_to_choose(load):
    with pytest.raises(ExperimentError, match="the only knob in space"):
        load(SERVED.replace("  Reader.num_replicas: {choice: [1, 2, 4]}\n", ""))


@pytest.mark.parametrize(
    ("confirm", "count"), [("", 3 * 3 * 3), ("confirm: {top: 1}", 1 * 3 * 3), ("confirm: {top: 0}", 0)]
)
def test_the_best_compromises_are_measured_again_under_every_value(load, confirm, count):
    assert replications(load(JOB + confirm)) == count
    assert replications(load(JOB + confirm), in_doubt=True) == count


def test_of_few_trials_there_are_no_more_compromises_than_were_measured(load):
    assert replications(load(SERVED.replace("trials: 8", "trials: 2"))) == 1 * 3 * 3


@pytest.mark.parametrize(
    ("text", "ranges"),
    [
        (JOB, {"args.model": "a, c", "args.batch_size": "1, 32", "args.workers": "0, 2"}),
        (SERVED, {"args.model": "a, c", "Reader.num_replicas": "1, 2"}),
    ],
    ids=["offline", "serving"],
)
def test_a_quick_look_measures_the_whole_of_a_smaller_grid(load, text, ranges):
    quick = load(text.replace("  args.rate: {uniform: [0, 1]}\n", "")).quick()
    assert {row.path: row.range for row in quick.space.describe()} == ranges
    assert quick.search.trials == 2 ** len(ranges) - 1, "the baseline is one of them"
    assert quick.confirm.top == 0


@pytest.mark.parametrize(
    ("trials", "doubt"),
    [("trials: 239", True), ("trials: 47", False), ("trials: 46", True)],
    ids=["", "all", "one less"],
)
def test_a_check_says_what_is_looked_for_and_whether_the_search_measures_all_that_it_takes(load, trials, doubt):
    out = io.StringIO()
    text = JOB if trials == "trials: 239" else JOB.replace("  args.rate: {uniform: [0, 1]}\n", "")
    print_check(Console(file=out, width=300), load(text.replace("trials: 239", trials)))
    assert "one configuration for args.model = a, b, c" in out.getvalue()
    assert ("only a whole grid measures all" in out.getvalue()) is doubt
    assert "the best 3 compromises are measured 3 times more under each value of args.model" in out.getvalue()
