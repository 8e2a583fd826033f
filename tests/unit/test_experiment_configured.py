"""Knobs that are no option of the application: how many items a request carries, and how they are written down."""

import pytest
import yaml

from orchestrator.errors import ExperimentError
from orchestrator.experiment import ENCODING, ITEMS, configured, lightest, read_experiment
from orchestrator.pruning import Pruning

BATCH = "Model.user_config.max_batch_size"
FILE = {
    "name": "x",
    "app": {"import_path": "a:b", "deployments": [{"name": "Model", "user_config": {"max_batch_size": 1}}]},
    "load": {"closed_loop": {"concurrency": 8}},
    "objective": {"maximize": "items_per_s"},
    "space": {ITEMS: {"choice": [1, 4]}, ENCODING: {"choice": ["json", "binary"]}, BATCH: {"choice": [1, 8, 32]}},
}


def experiment_of(tmp_path, **sections):
    return read_experiment(yaml.safe_dump({**FILE, **sections}), tmp_path / "x.yaml")


@pytest.mark.parametrize(
    ("sections", "baseline"),
    [
        pytest.param({}, {ITEMS: 1, ENCODING: "binary", BATCH: 1}, id="the defaults"),
        pytest.param(
            {"load": {**FILE["load"], "items_per_request": 4}, "workload": {"encoding": "json"}},
            {ITEMS: 4, ENCODING: "json", BATCH: 1},
            id="the file's own sections",
        ),
    ],
)
def test_the_baseline_is_what_the_file_says(tmp_path, sections, baseline):
    assert experiment_of(tmp_path, **sections).baseline() == baseline


def test_a_configuration_goes_into_the_app_the_load_and_the_workload(tmp_path):
    at = configured(experiment_of(tmp_path), {ITEMS: 4, ENCODING: "json", BATCH: 8})
    assert (at.load.items_per_request, at.workload.encoding) == (4, "json")
    assert at.app == {"import_path": "a:b", "deployments": [{"name": "Model", "user_config": {"max_batch_size": 8}}]}


def test_what_a_configuration_does_not_name_stays_as_in_the_file(tmp_path):
    experiment = experiment_of(tmp_path, workload={"encoding": "json"})
    assert configured(experiment, {}) == experiment


@pytest.mark.parametrize(
    ("sections", "sentence"),
    [
        pytest.param(
            {"space": {ITEMS: {"choice": [1, 0]}}},
            f"space.{ITEMS}.choice[1]: expected a whole number of items, at least 1; found 0",
            id="no items",
        ),
        pytest.param(
            {"space": {ITEMS: {"uniform": [0.5, 4.0]}}}, "expected a whole number of items, at least 1", id="half items"
        ),
        pytest.param(
            {"space": {ENCODING: {"choice": ["json", "xml"]}}},
            f"space.{ENCODING}.choice[1]: expected binary or json, found 'xml'",
            id="an unknown encoding",
        ),
        pytest.param(
            {"space": {"load.concurrency": {"choice": [1, 2]}}}, f"beside the app, {ITEMS} and {ENCODING}", id="another"
        ),
        pytest.param(
            {"objective": {"maximize": "throughput_rps"}},
            "{maximize: items_per_s} counts items",
            id="counting requests",
        ),
        pytest.param(
            {"load": {"open_loop": {"rate_rps": 10}}}, "the throughput of an open loop is the rate", id="a given rate"
        ),
    ],
)
def test_a_mistake_is_named_with_its_cure(tmp_path, sections, sentence):
    with pytest.raises(ExperimentError) as caught:
        experiment_of(tmp_path, **sections)
    assert sentence in "\n".join(str(problem) for problem in caught.value.problems)


@pytest.mark.parametrize(
    ("space", "expected"),
    [
        pytest.param(FILE["space"], {ITEMS: 1, ENCODING: "binary"}, id="of both knobs"),
        pytest.param({ITEMS: {"randint": [2, 9]}, BATCH: {"choice": [1, 8]}}, {ITEMS: 2}, id="of a range"),
        pytest.param({ITEMS: {"choice": [8, 2]}, ENCODING: {"choice": ["json"]}}, {ITEMS: 2}, id="no binary ones"),
        pytest.param({BATCH: {"choice": [1, 8]}}, {}, id="no such knobs: as in the file"),
    ],
)
def test_the_ceiling_is_that_of_the_lightest_requests(tmp_path, space, expected):
    assert lightest(experiment_of(tmp_path, space=space)) == expected


@pytest.mark.parametrize(
    ("items", "reason"), [pytest.param(1, "batch cannot form", id="8 at a time"), pytest.param(4, None, id="32 items")]
)
def test_the_rules_count_the_items_of_the_configuration(tmp_path, items, reason):
    rules = Pruning(experiment_of(tmp_path))
    assert rules.prune({ITEMS: items, ENCODING: "binary", BATCH: 32}) == reason
