"""What is made of Serve's own words: foreign applications are kept, readiness and reasons are read."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from orchestrator.serving.state import cluster_config, foreign_applications, readiness, slot_name


def application(source="declarative", status="RUNNING", **config):
    return {"source": source, "status": status, "deployed_app_config": config or None}


FOREIGN = {
    "name": "shop",
    "route_prefix": "/shop",
    "import_path": "shop:app",
    "runtime_env": {"env_vars": {"K": "v"}},
}


@pytest.mark.parametrize(
    ("applications", "kept"),
    [
        pytest.param({}, [], id="an empty cluster"),
        pytest.param({"shop": application(**FOREIGN)}, [FOREIGN], id="a declarative one is kept, word for word"),
        pytest.param({"shop": application(source="imperative")}, [], id="one of serve.run is left alone by a PUT"),
        pytest.param({slot_name(0): application(name=slot_name(0))}, [], id="one of ours is ours to decide on"),
        pytest.param({"shop": application(status="DELETING", **FOREIGN)}, [], id="one that is being deleted goes"),
    ],
)
def test_applications_of_others_go_into_every_config(applications, kept):
    assert foreign_applications({"applications": applications}) == kept


def test_the_clusters_own_options_are_kept():
    details = {
        "applications": {"shop": application(**FOREIGN)},
        "http_options": {"host": "0.0.0.0", "port": 8000},
        "proxy_location": "EveryNode",
        "grpc_options": None,
        "target_capacity": 50.0,
    }
    ours = {"name": slot_name(0), "import_path": "a:b"}
    assert cluster_config(details, [ours]) == {
        "applications": [FOREIGN, ours],
        "http_options": {"host": "0.0.0.0", "port": 8000},
        "proxy_location": "EveryNode",
        "target_capacity": 50.0,
    }


def status(app, message="", **deployments):
    return SimpleNamespace(
        status=app,
        message=message,
        deployments={name: SimpleNamespace(status=state, message=text) for name, (state, text) in deployments.items()},
    )


STACK = (
    "A replica failed to start with exception. Retrying 2 more time(s). Error: \x1b[36mray::Replica()\x1b[39m\n"
    '  File "app.py", line 3, in __init__\n    raise ValueError("no such model")\nValueError: no such model'
)


@pytest.mark.parametrize(
    ("entry", "ready", "failed", "reason"),
    [
        pytest.param(None, False, False, "does not list the application", id="not listed yet"),
        pytest.param(status("RUNNING", C=("HEALTHY", "")), True, False, "is RUNNING", id="running"),
        pytest.param(status("DEPLOYING"), False, False, "the application is DEPLOYING", id="being built"),
        pytest.param(
            status("DEPLOYING", C=("UPDATING", "1 replicas that have taken more than 4s to be scheduled.")),
            False,
            False,
            "C is UPDATING: 1 replicas that have taken more than 4s to be scheduled.",
            id="cannot be placed",
        ),
        pytest.param(
            status("DEPLOY_FAILED", "Failed to update the deployments ['C'].", C=("DEPLOY_FAILED", STACK)),
            False,
            True,
            "C is DEPLOY_FAILED: A replica failed to start with exception. Retrying 2 more time(s). "
            "ValueError: no such model",
            id="the constructor raised",
        ),
        pytest.param(
            status("DEPLOY_FAILED", "Traceback (most recent call last):\n  File \"x\"\nKeyError: 'Ecko'"),
            False,
            True,
            "KeyError: 'Ecko'",
            id="a stack trace is reduced to what was raised",
        ),
        pytest.param(status("UNHEALTHY", "replica died"), False, True, "replica died", id="died while running"),
    ],
)
def test_readiness_is_read_from_serves_status(entry, ready, failed, reason):
    state = readiness(entry)
    assert (state.ready, state.failed) == (ready, failed)
    assert reason in "; ".join(state.reasons)
    assert "\x1b" not in "; ".join(state.reasons)


@pytest.mark.parametrize(
    ("raised", "infeasible", "reason"),
    [
        ("ValueError: infeasible: there is no GPU", True, "there is no GPU"),
        ("serve_apps.variant.InfeasibleError: infeasible: no room", True, "no room"),
        ("ValueError: it is infeasible: so they say", False, "C is DEPLOY_FAILED: A replica failed to start"),
    ],
)
def test_an_application_can_say_that_a_configuration_cannot_be_had(raised, infeasible, reason):
    stack = STACK.replace("ValueError: no such model", raised)
    state = readiness(status("DEPLOY_FAILED", "Failed.", C=("DEPLOY_FAILED", stack)))
    assert (state.failed, state.infeasible) == (True, infeasible)
    assert state.reasons[0].startswith(reason)
