"""Serve's own proxy, the default of clusters that others start: what is exported runs there, a full queue refuses."""

from __future__ import annotations

import json

import pytest

from tests.integration.conftest import command, first_answer, held_cluster, orchestrator
from tests.integration.test_back_pressure import refused_and_taken


@pytest.fixture(scope="module")
def fresh():
    with held_cluster("proxy") as held:
        yield held


def test_the_exported_winner_is_taken_by_serve_deploy_on_a_fresh_cluster_and_answers(document, demo, fresh):
    exported = orchestrator("export", "-o", "winner.yaml", cwd=demo)
    assert exported.returncode == 0, exported.stderr
    recommended = document["trials"][document["confirmation"]["recommended"]]
    batch = recommended["config"]["Classifier.user_config.max_batch_size"]
    assert f"max_batch_size: {batch}" in (demo / "winner.yaml").read_text()
    deployed = command("serve", "deploy", demo / "winner.yaml", "--address", fresh.dashboard_url)
    assert deployed.returncode == 0, deployed.stderr
    status = first_answer(f"http://127.0.0.1:{fresh.http_port}/v2/models/digits", timeout_s=60)
    assert json.loads(status)["name"] == "digits"
    command("serve", "shutdown", "-y", "--address", fresh.dashboard_url)


def test_a_full_queue_answers_503_and_a_longer_one_takes_all(fresh, tmp_path):
    refused_and_taken(fresh, tmp_path)
