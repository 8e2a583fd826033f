"""Limits that the kernel enforces: on a process, and on the replicas of a study."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from orchestrator.environment import kernel_kills
from orchestrator.limits import Groups
from tests.integration.conftest import ROOT, orchestrator

pytestmark = pytest.mark.skipif(
    Groups().problem() is not None, reason=f"no control groups can be made here: {Groups().problem()}"
)
BUSY = "import time\nend = time.monotonic() + 4\nwhile time.monotonic() < end: pass"
VMSTAT = Path("/proc/vmstat")
GREEDY = "kept = [bytearray(2**20) for _ in range(300)]"
EXPERIMENT = """
name: limited
app:
  import_path: serve_apps.classifier:build
  args: {model: digits}
  deployments:
    - name: Classifier
      num_replicas: 1
      max_ongoing_requests: 64
      ray_actor_options: {num_cpus: 0.1}
      limits: {cpu: 0.1, memory_mb: 2000}
workload: {payloads: "serve_apps.payloads:digits"}
load: {closed_loop: {concurrency: 8}}
measure: {warmup_s: 0.5, warmup_max_s: 2, min_s: 2, max_s: 2, ceiling: false, validity: warn}
objective: {maximize: throughput_rps}
deploy_timeout_s: 60
space:
  Classifier.limits.memory_mb: {choice: [40, 2000]}
search: {algorithm: grid, trials: 1}
confirm: {top: 0}
"""


@pytest.fixture
def limited():
    """Runs Python code within limits; its exit code, the seconds it took, and what its group has seen."""

    def run(code, *limits):
        began = time.monotonic()
        command = [sys.executable, "-m", "orchestrator.limits", "--group", "test-limits", *limits]
        done = subprocess.run([*command, sys.executable, "-c", code], cwd=ROOT, check=False)
        return done.returncode, time.monotonic() - began, Groups().usage("test-limits")

    Groups().remove("test-limits")
    yield run
    Groups().remove("test-limits")


def test_a_busy_loop_gets_half_a_core_if_that_is_its_limit(limited):
    code, seconds, usage = limited(BUSY, "--cpu", "0.5")
    assert code == 0
    assert usage.cpu_s / seconds == pytest.approx(0.5, abs=0.05)
    assert usage.throttled_s > 0.2 * seconds


def test_a_process_without_memory_left_is_killed_and_counted(limited):
    assert limited(GREEDY, "--memory-mb", "900")[0] == 0
    before = kernel_kills(VMSTAT)
    code, _, usage = limited(GREEDY, "--memory-mb", "100")
    assert code == -9
    assert usage.killed == 1
    assert kernel_kills(VMSTAT) > before, "the kernel counts it among all others"


@pytest.fixture(scope="module")
def study(cluster, tmp_path_factory):
    here = tmp_path_factory.mktemp("limits")
    (here / "limited.yaml").write_text(EXPERIMENT)
    done = orchestrator("run", "limited.yaml", "--address", cluster.address, "--json", cwd=here)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_replicas_of_a_trial_keep_their_limit_and_it_is_read_back(study):
    metrics = study["baseline"]["metrics"]
    assert 0.02 < metrics["limited_cpu_cores"] < 0.13
    assert metrics["limited_throttled_cores"] > 0
    assert 50 < metrics["limited_memory_mib"] < 2000


def test_a_replica_that_needs_more_memory_is_infeasible_with_that_reason(study):
    (trial,) = [one for one in study["trials"] if one["config"]["Classifier.limits.memory_mb"] == 40]
    assert trial["status"] == "INFEASIBLE"
    assert "a replica needs more memory than its limit (limits.memory_mb)" in trial["reasons"][0]


def test_no_group_is_left_behind(study):
    assert Groups().names() == []
