"""More requests than there is room for: they are refused at once, and counted; none waits until its client gives up."""

from __future__ import annotations

import json
import re
import signal

import pytest
import yaml

from orchestrator.experiment import load_experiment
from tests.integration.conftest import (
    command,
    load_clients,
    orchestrator,
    start_orchestrator,
    stop,
    wait_for_load,
)

EXPERIMENT = """
name: slow
app:
  import_path: tests.integration.apps:build_slow
  args: {seconds: 0.1}
  deployments:
    - name: Slow
      num_replicas: 1
      max_ongoing_requests: 2
      max_queued_requests: 4
      ray_actor_options: {num_cpus: 0.1}
workload: {payloads: hello.jsonl, timeout_s: 10}
load: {closed_loop: {concurrency: 32, think_time_s: 0.1}}
measure: {warmup_s: 0.5, warmup_max_s: 1, min_s: 2, max_s: 3, ceiling: false, validity: warn}
slo: {error_ratio: 0.1}
objective: {maximize: throughput_rps}
space:
  Slow.max_queued_requests: {choice: [64]}
search: {algorithm: grid, trials: 1}
confirm: {top: 0}
"""
PROBED = (
    EXPERIMENT.replace("concurrency: 32, think_time_s: 0.1", "concurrency: 16")
    .replace(
        "  Slow.max_queued_requests: {choice: [64]}",
        "  Slow.max_queued_requests: {choice: [1, 32, 64, 128]} # what may wait\n"
        "  Slow.num_replicas: {randint: [1, 9000]}",
    )
    .replace("min_s: 2, max_s: 3", "min_s: 1, max_s: 1.5")
)


def directory_with(experiment, tmp_path):
    (tmp_path / "slow.yaml").write_text(experiment)
    (tmp_path / "hello.jsonl").write_text("{}\n")
    return tmp_path


def test_a_full_queue_answers_503_and_a_longer_one_takes_all_behind_haproxy(cluster, tmp_path):
    refused_and_taken(cluster, tmp_path)


def refused_and_taken(cluster, tmp_path):
    """On a cluster with either of Serve's ways to a replica."""
    here = directory_with(EXPERIMENT, tmp_path)
    done = orchestrator("run", "slow.yaml", "--address", cluster.address, "--json", cwd=here)
    assert done.returncode == 0, done.stderr
    short, long = json.loads(done.stdout)["trials"]
    assert short["metrics"]["error_ratio"] > 0.1
    assert re.fullmatch(r"\d+ of \d+ requests failed: \d+ × HTTP 503", short["reasons"][0]), "and no time-out"
    assert short["slo"] == {"error_ratio": "fail"}
    assert long["config"] == {"Slow.max_queued_requests": 64}
    assert long["metrics"]["error_ratio"] == 0, "running replicas were told of the new limit"


@pytest.fixture
def here(tmp_path):
    return directory_with(PROBED.replace("slo: {error_ratio: 0.1}", "slo: {mean_ms: 500}"), tmp_path)


def test_a_probe_finds_what_fits_and_narrows_the_space(cluster, here):
    arguments = ("check", "slow.yaml", "--probe", "--address", cluster.address, "--write", "narrow.yaml")
    done = orchestrator(*arguments, cwd=here)
    assert done.returncode == 0, done.stderr + done.stdout
    assert "one replica of Slow takes" in done.stdout
    assert "the file asks for 16" in done.stdout
    space = yaml.safe_load((here / "narrow.yaml").read_text())["space"]
    assert space["Slow.max_queued_requests"] == {"choice": [1, 32]}, "ten wait for half a second at 20 requests/s"
    assert 1 <= space["Slow.num_replicas"]["randint"][1] < 9000
    assert "# what may wait" in (here / "narrow.yaml").read_text()
    assert load_experiment(here / "narrow.yaml").name == "slow"
    assert (here / "slow.yaml").read_text() != (here / "narrow.yaml").read_text()
    again = orchestrator(*arguments, cwd=here)
    assert again.returncode == 2
    assert "narrow.yaml exists, and is not overwritten" in again.stderr
    assert served(cluster) == {}


def test_an_interrupted_probe_leaves_nothing_behind(cluster, here):
    process = start_orchestrator("check", "slow.yaml", "--probe", "--address", cluster.address, cwd=here)
    wait_for_load(process)
    printed = stop(process, signal.SIGINT)
    assert process.returncode == 130, printed
    assert "Interrupted." in printed
    assert load_clients() == []
    assert served(cluster) == {}


def served(cluster) -> dict:
    """The applications on the cluster."""
    status = command("serve", "status", "--address", cluster.dashboard_url)
    return yaml.safe_load(status.stdout)["applications"]
