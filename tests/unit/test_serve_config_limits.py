"""Limits in the file become what Serve starts the replicas' workers with."""

import pytest

from orchestrator.serve_config import app_problems, in_place, is_limited, merge, path_problem, read, with_limits

APP = {
    "import_path": "some.module:app",
    "deployments": [
        {"name": "Front"},
        {
            "name": "Model",
            "limits": {"cpu": 0.5, "memory_mb": 700},
            "ray_actor_options": {"num_cpus": 0, "runtime_env": {"env_vars": {"A": "1"}}},
        },
    ],
}


def test_the_worker_of_a_replica_is_started_within_its_limits():
    front, model = with_limits(APP, "/venv/bin/python", "slot-")["deployments"]
    assert front == {"name": "Front"}
    assert "limits" not in model
    command = "/venv/bin/python -m orchestrator.limits --group slot-Model --cpu 0.5 --memory-mb 700 /venv/bin/python"
    assert model["ray_actor_options"] == {
        "num_cpus": 0,
        "runtime_env": {"env_vars": {"A": "1"}, "py_executable": command},
    }
    assert APP["deployments"][1]["limits"], "the app itself is as it was"


@pytest.mark.parametrize(
    ("limits", "options"), [({"cpu": 2}, "--cpu 2 python"), ({"memory_mb": 64.5}, "--memory-mb 64.5 python")]
)
def test_what_is_left_out_is_not_limited(limits, options):
    (model,) = with_limits({"deployments": [{"name": "M", "limits": limits}]}, "python", "")["deployments"]
    assert model["ray_actor_options"]["runtime_env"]["py_executable"].endswith(f"--group M {options}")


@pytest.mark.parametrize("app", [{}, {"deployments": None}, {"deployments": [{"name": "M"}]}, {"deployments": ["?"]}])
def test_an_app_without_limits_stays_as_it_is(app):
    assert with_limits(app, "python", "") == app
    assert not is_limited(app)


def test_a_deployed_app_tells_whether_it_is_limited():
    assert is_limited(with_limits(APP, "python", "slot-"))


def test_a_limit_is_a_knob_like_any_other():
    assert path_problem(APP, "Model.limits.cpu") is None
    assert read(APP, "Model.limits.memory_mb") == 700
    changed = merge(APP, {"Model.limits.cpu": 0.3})
    assert app_problems(changed) == []
    assert not in_place(APP, changed), "a running process keeps its limits"


@pytest.mark.parametrize(
    ("limits", "where", "words"),
    [
        ({"cpu": 0}, "app.deployments[1].limits.cpu", "a number of at least 0.01"),
        ({"memory_mb": "700"}, "app.deployments[1].limits.memory_mb", "700"),
        ({"gpu": 1}, "app.deployments[1].limits.gpu", "gpu"),
        (5, "app.deployments[1].limits", "5"),
    ],
)
def test_a_limit_that_cannot_be_is_named(limits, where, words):
    wrong = {**APP, "deployments": [APP["deployments"][0], {"name": "Model", "limits": limits}]}
    ((path, sentence),) = app_problems(wrong)
    assert path == where
    assert words in sentence


def test_a_typo_gets_the_nearest_name():
    assert "memory_mb" in path_problem(APP, "Model.limits.memory")
