"""Two nodes with a trial slot each: trials run side by side, each on a node of its own, and none on the head."""

from __future__ import annotations

import json

from orchestrator.tracking import open_tracker
from tests.integration.conftest import held_cluster, orchestrator

EXPERIMENT = """
name: nodes
app:
  import_path: tests.integration.apps:build
  deployments:
    - name: Echo
      user_config: {mode: a}
workload: {payloads: hello.jsonl}
load: {closed_loop: {concurrency: 2, think_time_s: 0.01}, clients: 2, placement: other_node}
measure: {warmup_s: 0.2, warmup_max_s: 1, min_s: 1, max_s: 1, ceiling: false, validity: warn}
objective: {maximize: throughput_rps}
space:
  Echo.user_config.mode: {choice: [a, b, c, d]}
search: {algorithm: random, trials: 3}
confirm: {top: 0}
"""


def test_each_slot_has_its_own_application_pinned_to_its_node(tmp_path):
    (tmp_path / "nodes.yaml").write_text(EXPERIMENT)
    (tmp_path / "hello.jsonl").write_text("{}\n")
    with held_cluster("nodes") as cluster:
        assert len(cluster.trial_nodes) == 2
        done = orchestrator("run", "nodes.yaml", "--address", cluster.address, "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    trials = json.loads(done.stdout)["trials"]
    assert sorted(trial["config"]["Echo.user_config.mode"] for trial in trials) == ["a", "b", "c", "d"]
    assert [trial["status"] for trial in trials] == ["COMPLETE"] * 4
    places = set()
    for trial in open_tracker(None, tmp_path).load_study(None).trials:
        (application,) = trial.serve_config["applications"]
        (deployment,) = application["deployments"]
        node = deployment["ray_actor_options"]["label_selector"]["ray.io/node-id"]
        places.add((application["name"], node))
    assert {slot for slot, _ in places} == {"trial-slot-0", "trial-slot-1"}
    assert {node for _, node in places} == set(cluster.trial_nodes)
