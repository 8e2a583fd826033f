"""Workloads that are a row, so that a figure can have their number on its axis."""

from pathlib import Path

import pytest

from orchestrator.experiment import read_experiment, row_of

FILE = """
name: x
app: {import_path: "a:b", deployments: [{name: C, num_replicas: 1}]}
load: {closed_loop: {concurrency: 1}}
objective: {minimize: latency_mean_ms}
space: {C.num_replicas: {randint: [1, 2]}}
workloads:
"""


def row(*loads):
    lines = "".join(f"  - {{name: w{place}, {load}}}\n" for place, load in enumerate(loads))
    return row_of(read_experiment(FILE + lines, Path("/there/x.yaml")).workloads)


@pytest.mark.parametrize(
    ("loads", "name", "numbers"),
    [
        pytest.param(
            ["load: {closed_loop: {concurrency: 1}}", "load: {closed_loop: {concurrency: 60}}"],
            "concurrent clients",
            {"w0": 1.0, "w1": 60.0},
            id="concurrency",
        ),
        pytest.param(
            ["load: {open_loop: {rate_rps: 50}}", "load: {open_loop: {rate_rps: 20.5}}"],
            "offered load, req/s",
            {"w0": 50.0, "w1": 20.5},
            id="rate",
        ),
        pytest.param(
            [
                "load: {closed_loop: {concurrency: 8}, items_per_request: 1}",
                "load: {closed_loop: {concurrency: 8}, items_per_request: 64}, slo: {p99_ms: 100}",
            ],
            "items in a request",
            {"w0": 1.0, "w1": 64.0},
            id="items, with another promise",
        ),
    ],
)
def test_workloads_that_differ_in_one_number_are_a_row(loads, name, numbers):
    assert row(*loads) == (name, numbers)


@pytest.mark.parametrize(
    "loads",
    [
        pytest.param(["load: {closed_loop: {concurrency: 1}}"], id="one alone"),
        pytest.param(["slo: {p99_ms: 9}", "slo: {p99_ms: 8}"], id="equal"),
        pytest.param(
            ["load: {closed_loop: {concurrency: 1}}", "load: {open_loop: {rate_rps: 20}}"], id="of different kinds"
        ),
        pytest.param(
            [
                "load: {closed_loop: {concurrency: 1}}",
                "load: {closed_loop: {concurrency: 9}, items_per_request: 2}",
            ],
            id="two numbers",
        ),
        pytest.param(
            [
                "load: {closed_loop: {concurrency: 1}}",
                "load: {closed_loop: {concurrency: 9}}, workload: {payloads: 'a:c'}",
            ],
            id="other requests",
        ),
    ],
)
def test_other_workloads_are_none(loads):
    assert row(*loads) is None
