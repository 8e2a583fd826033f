"""How much of a space is pruned: counted or estimated, and shown by `orchestrator check`."""

import io
import re
from pathlib import Path

import pytest
from rich.console import Console

from orchestrator.cli.check import print_check
from orchestrator.cli.pruned import print_pruned
from orchestrator.experiment import ClosedLoop, Experiment, Load, load_experiment
from orchestrator.objective import Slo
from orchestrator.plain import identity
from orchestrator.pruned import BATCH, DUPLICATE, RESOURCES
from orchestrator.pruning import Node, Pruning, census
from orchestrator.pruning.census import DRAWS, every
from orchestrator.space import Space, parse_knob

SIZE, WAIT_S, REPLICAS = "M.user_config.max_batch_size", "M.user_config.batch_wait_timeout_s", "M.num_replicas"
FINITE = {
    SIZE: {"choice": [1, 8, 16, 64]},
    WAIT_S: {"choice": [0.0, 0.001, 0.01]},
    REPLICAS: {"randint": [1, 3]},
}
INFINITE = {**FINITE, WAIT_S: {"loguniform": [0.001, 0.01]}}


def space(knobs):
    return Space(knobs={path: parse_knob(knob) for path, knob in knobs.items()})


def pruning(knobs, size=1):
    options = {"max_ongoing_requests": 100, "user_config": {"max_batch_size": size, "batch_wait_timeout_s": 0.0}}
    experiment = Experiment.model_construct(
        app={"deployments": [{"name": "M", **options}]},
        load=Load(closed_loop=ClosedLoop(concurrency=16)),
        slo=Slo(),
        space=space(knobs),
    )
    return Pruning(experiment, Node({"CPU": 2.0}), "haproxy")


def shown(rules):
    console = Console(file=io.StringIO(), width=300)
    print_pruned(console, rules, "2 CPU")
    return console.file.getvalue()


NESTED = {
    "args.engine": {
        "condition": {
            "onnx": {
                "args.threads": {"randint": [1, 2]},
                "args.mode": {"condition": {"a": {"args.x": {"quniform": [0, 1, 0.5]}}, "b": {}}},
            },
            "torch": {"args.threads": {"choice": [4]}},
            "none": {},
        }
    },
    "args.fixed": {"uniform": [3, 3]},
}


@pytest.mark.parametrize("knobs", [FINITE, NESTED, {}], ids=["plain", "conditions", "empty"])
def test_every_configuration_of_a_finite_space_comes_once(knobs):
    listed = list(every(space(knobs)))
    assert len(listed) == space(knobs).size()
    assert len({identity(configuration) for configuration in listed}) == len(listed)
    assert all(space(knobs).contains(configuration) for configuration in listed)


def test_a_small_space_is_counted():
    found = census(pruning(FINITE))
    assert (found.seen, found.exact) == (36, True)
    assert {reason: case.count for reason, case in found.cases.items()} == {
        RESOURCES: 12,  # three replicas on two CPUs
        BATCH: 6 + 3,  # 64 with one or two replicas, and 16 with two
        DUPLICATE: 2 * 2,  # a batch of 1 with the second and third wait
    }


def test_what_is_left_are_all_that_differ():
    rules = pruning(FINITE)
    found = census(rules)
    kept = {identity(rules.canonical(one)) for one in every(rules.experiment.space) if not rules.prune(one)}
    assert found.seen - found.pruned == len(kept)


def test_a_large_space_is_estimated_the_same_way_each_time():
    found = census(pruning(INFINITE), seed=1)
    assert (found.seen, found.exact) == (DRAWS, False)
    assert found == census(pruning(INFINITE), seed=1)
    assert found.cases[RESOURCES].count / found.seen == pytest.approx(1 / 3, abs=0.05)
    assert found.cases[DUPLICATE].count / found.seen == pytest.approx(1 / 4 * 2 / 3, abs=0.05)


def test_counts_are_shown_with_an_example_of_each_reason():
    lines = shown(pruning(FINITE)).splitlines()
    assert lines[0] == "pruning:   25 of 36 configurations are not deployed, 11 left"
    assert lines[1].split(None, 1)[1].rstrip() == (
        "more resources than the node has, for example: needs 3 CPU (M 3 x 1), and a node has 2"
    )
    assert [line.split()[0] for line in lines[1:4]] == ["12", "9", "4"]
    assert lines[4].strip() == "2 CPU"


def test_estimates_say_that_they_are_estimates():
    text = shown(pruning(INFINITE))
    assert "of the space is not deployed, estimated from 2,000 random configurations" in text
    assert "about 33%  more resources" in text.replace("34%", "33%").replace("32%", "33%")


def test_nothing_pruned_is_said_too():
    assert shown(pruning({REPLICAS: {"randint": [1, 2]}})).startswith("pruning:   nothing\n")


def test_a_space_of_which_nothing_is_left_is_told():
    assert "2 of 2 configurations are not deployed, none left" in shown(pruning({REPLICAS: {"randint": [3, 4]}}))


def test_the_baseline_is_measured_whatever_the_rules_say():
    text = shown(pruning(FINITE, size=64))
    assert "baseline  batch cannot form, but measured all the same: M.user_config.max_batch_size is 64" in text


def test_the_example_in_the_guide_is_what_check_says(tmp_path):
    guide = (Path(__file__).parents[2] / "docs" / "pruning.md").read_text(encoding="utf-8")
    file, output = re.search(r"```yaml\n(.*?)```\s+```\n(.*?)```", guide, re.DOTALL).groups()
    (tmp_path / "example.yaml").write_text(file, encoding="utf-8")
    console = Console(file=io.StringIO(), width=118)
    print_check(console, load_experiment(tmp_path / "example.yaml"))
    lines = [line.rstrip() for line in console.file.getvalue().splitlines()]
    assert "\n".join(lines).endswith(f"\n{output.strip()}")


def test_check_shows_it():
    console = Console(file=io.StringIO(), width=200)
    print_check(console, load_experiment(Path(__file__).parents[2] / "search_spaces" / "digits.yaml"))
    text = console.file.getvalue()
    assert "pruning:   about " in text
    assert "batch cannot form, for example: Classifier.user_config.max_batch_size is 64" in text
    assert "same as another, for example: Classifier.user_config.batch_wait_timeout_s" in text
