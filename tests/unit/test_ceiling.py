"""The application that does nothing: as many replicas as any configuration may have."""

from __future__ import annotations

import pytest

from orchestrator.ceiling import null_application
from orchestrator.serve_config import app_problems
from orchestrator.space import Space, parse_knob


def app(**options):
    return {"import_path": "x:build", "deployments": [{"name": "A", **options}]}


BRANCHES = {"condition": {"a": {"A.num_replicas": {"randint": [2, 6]}}, "b": {"A.num_replicas": {"choice": [9]}}}}


@pytest.mark.parametrize(
    ("application", "knobs", "replicas"),
    [
        pytest.param(app(), {}, 1, id="nothing is said"),
        pytest.param({"import_path": "x:build"}, {}, 1, id="no deployments"),
        pytest.param({"import_path": "x:build", "deployments": None}, {}, 1, id="deployments without a value"),
        pytest.param(app(num_replicas=3), {}, 3, id="stated"),
        pytest.param(app(num_replicas="auto"), {}, 1, id="left to Serve"),
        pytest.param(app(num_replicas=True), {}, 1, id="no number"),
        pytest.param(
            app(num_replicas=3), {"A.num_replicas": {"randint": [1, 4]}}, 4, id="searched above what is stated"
        ),
        pytest.param(app(num_replicas=8), {"A.num_replicas": {"randint": [1, 4]}}, 8, id="searched below"),
        pytest.param(app(), {"A.num_replicas": {"lograndint": [1, 16]}}, 16, id="a range of whole numbers"),
        pytest.param(app(), {"A.num_replicas": {"choice": [1, 5, 2]}}, 5, id="a choice in no order"),
        pytest.param(app(), {"A.num_replicas": {"choice": ["auto", 2]}}, 2, id="a choice with a word"),
        pytest.param(app(), {"A.user_config.max_num_replicas": {"choice": [64]}}, 1, id="another option"),
        pytest.param(app(), {"args.kind": BRANCHES}, 9, id="in the branches of a condition"),
    ],
)
def test_it_has_as_many_replicas_as_any_configuration_may_have(application, knobs, replicas):
    null = null_application(application, Space(knobs={path: parse_knob(raw) for path, raw in knobs.items()}))
    (deployment,) = null["deployments"]
    assert deployment["num_replicas"] == replicas
    assert type(deployment["num_replicas"]) is int
    assert deployment["ray_actor_options"] == {"num_cpus": 0}


def test_serve_takes_its_config():
    assert app_problems(null_application(app(num_replicas=2), Space(knobs={}))) == []
