"""Limits in the file become what Serve starts the replicas' workers with."""

import pytest

from orchestrator.serve_config import (
    app_problems,
    clocks_meanwhile,
    in_place,
    is_limited,
    may_set_clocks,
    merge,
    path_problem,
    read,
    with_limits,
)

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


def test_a_clock_needs_no_control_group_and_is_set_by_others_in_a_trial():
    app = {"deployments": [{"name": "M", "limits": {"gpu_clock_mhz": 900}}, {"name": "N"}]}
    trial, export = with_limits(app, "python", "slot-", later=True), with_limits(app, "python", "")
    commands = [one["deployments"][0]["ray_actor_options"]["runtime_env"]["py_executable"] for one in (trial, export)]
    assert commands == [
        "python -m orchestrator.limits --gpu-clock-meanwhile 900 python",
        "python -m orchestrator.limits --gpu-clock-mhz 900 python",
    ]
    assert not is_limited(trial)
    assert [clocks_meanwhile(one) for one in (trial, export, app)] == [{900.0}, set(), set()]


@pytest.mark.parametrize(
    ("app", "knobs", "sets"),
    [
        ({"deployments": [{"name": "M", "limits": {"gpu_clock_mhz": 900}}]}, [], True),
        ({}, ["M.limits.gpu_clock_mhz"], True),
        ({}, ["M.limits"], True),
        (APP, ["Model.limits.cpu"], False),
    ],
    ids=["in the app", "a knob", "all limits are a knob", "no clock"],
)
def test_an_experiment_tells_whether_it_may_set_clocks(app, knobs, sets):
    assert may_set_clocks(app, knobs) == sets


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
        ({"gpu_clock_mhz": 0}, "app.deployments[1].limits.gpu_clock_mhz", "a number of at least 1"),
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
