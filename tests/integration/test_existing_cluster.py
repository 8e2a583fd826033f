"""A study on a cluster that belongs to others: their applications stay, ours go, every trial is accounted for."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from pathlib import Path

import onnx
import pytest
import yaml
from onnx import TensorProto, helper

from orchestrator.experiment import load_experiment
from orchestrator.pruned import RESOURCES
from tests.integration.conftest import (
    command,
    first_answer,
    load_clients,
    orchestrator,
    run_states,
    start_orchestrator,
    stop,
    wait_for_load,
)

TEMPLATE = """
name: echo
app:
  import_path: tests.integration.apps:build
  deployments:
    - name: Echo
      user_config: {mode: good}
      ray_actor_options: {num_cpus: 0.1}
workload: {payloads: hello.jsonl}
load: {closed_loop: {concurrency: 2}}
measure: {warmup_s: 0.2, warmup_max_s: 1, min_s: 0.4, max_s: 0.5, ceiling: false, validity: warn}
deploy_timeout_s: 30
objective: {minimize: latency_p50_ms}
space:
  Echo.user_config.mode:
    condition:
      broken: {}
      good:
        Echo.ray_actor_options.num_cpus: {choice: [0.1, ALL, 640]}
search: {algorithm: random, trials: 2}
confirm: {top: 0}
"""
EXPERIMENT = TEMPLATE.replace("ALL", "1")
SPACE = EXPERIMENT[EXPERIMENT.index("space:") : EXPERIMENT.index("search:")]
ENCODER = """
app:
  import_path: serve_apps.classifier:build
  args: {{model: {model}}}
  deployments:
    - name: Classifier
      ray_actor_options: {{num_cpus: 0.1}}
      user_config: {{max_batch_size: 4, batch_wait_timeout_s: 0.001}}
load: {{closed_loop: {{concurrency: 4}}}}
measure: {{warmup_s: 0.2, warmup_max_s: 1, min_s: 0.5, max_s: 0.5, ceiling: false, validity: warn}}
objective: {{minimize: latency_p99_ms}}
space:
  Classifier.user_config.max_batch_size: {{choice: [2, 4]}}
search: {{algorithm: random, trials: 1}}
confirm: {{top: 0}}
"""
PRECISE = """
name: precise
app:
  import_path: tests.integration.apps:build_precise
  args: {precision: fp32}
  deployments:
    - name: Sleeper
      ray_actor_options: {num_cpus: 0.1}
workload: {payloads: hello.jsonl}
load: {closed_loop: {concurrency: 2}}
measure: {warmup_s: 0.2, warmup_max_s: 0.5, min_s: 0.6, max_s: 0.6, ceiling: false, validity: warn, precision: 0.2}
deploy_timeout_s: 30
objective: {maximize: throughput_rps}
space:
  args.precision: {choice: [fp32, fp16, int8]}
"""
SHOP = {"name": "shop", "route_prefix": "/shop", "import_path": "tests.integration.apps:build"}


@pytest.fixture(scope="module")
def shop(cluster, tmp_path_factory) -> Iterator[str]:
    """Somebody's application, deployed with `serve deploy` before the study, and removed after the last."""
    config = tmp_path_factory.mktemp("shop") / "shop.yaml"
    serve_deploy(config, [SHOP], cluster)
    yield "http://127.0.0.1:8000/shop"
    serve_deploy(config, [], cluster)


def serve_deploy(config: Path, applications: list, cluster) -> None:
    config.write_text(yaml.safe_dump({"applications": applications}))
    deployed = command("serve", "deploy", config, "--address", cluster.dashboard_url)
    assert deployed.returncode == 0, deployed.stderr + deployed.stdout


@pytest.fixture(scope="module")
def study(cluster, shop, tmp_path_factory) -> dict:
    directory = tmp_path_factory.mktemp("echo")
    (directory / "echo.yaml").write_text(TEMPLATE.replace("ALL", f"{all_cpus(cluster):g}"))
    (directory / "hello.jsonl").write_text('{"hello": 1}\n{"hello": 2}\n')
    before = answer(shop)
    done = orchestrator("run", "echo.yaml", "--address", cluster.address, "--json", cwd=directory)
    assert done.returncode == 0, done.stderr
    return {"document": json.loads(done.stdout), "directory": directory, "shop_before": before}


def answer(url: str) -> dict:
    return json.loads(first_answer(url, timeout_s=30))


def all_cpus(cluster) -> float:
    """As many as the node has: more than the shop has left of them."""
    return cluster.trial_resources[0]["CPU"]


def by_configuration(study: dict) -> dict[tuple, dict]:
    return {tuple(trial["config"].values()): trial for trial in study["document"]["trials"]}


def test_every_configuration_that_the_node_can_hold_is_tried_once_and_has_its_true_status(study, cluster):
    trials = study["document"]["trials"]
    assert [trial["number"] for trial in trials] == [0, 1, 2]
    statuses = {config: trial["status"] for config, trial in by_configuration(study).items()}
    assert statuses == {
        ("good", 0.1): "COMPLETE",
        ("good", all_cpus(cluster)): "INFEASIBLE",
        ("broken",): "FAILED",
    }
    assert set(study["document"]["pruned"]) <= {RESOURCES}


def test_reasons_are_serves_own_words(study, cluster):
    trials, too_much = by_configuration(study), ("good", all_cpus(cluster))
    assert "mode 'broken' is not supported" in trials["broken",]["reasons"][0]
    assert "scheduled" in trials[too_much]["reasons"][0]
    assert f"{all_cpus(cluster):g}" in trials[too_much]["reasons"][0]


def test_the_applications_of_others_are_neither_deleted_nor_restarted(study, shop):
    assert answer(shop)["pid"] == study["shop_before"]["pid"]


def test_our_applications_are_gone(study, cluster):
    assert served(cluster) == ["shop"]


def served(cluster) -> list[str]:
    """Names of the applications on the cluster."""
    status = command("serve", "status", "--address", cluster.dashboard_url)
    return list(yaml.safe_load(status.stdout)["applications"])


def test_a_busy_cluster_takes_no_second_study_and_sigterm_ends_the_first(cluster, shop, tmp_path):
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        long = EXPERIMENT.replace("name: echo", f"name: {name}").replace(
            "min_s: 0.4, max_s: 0.5", "min_s: 60, max_s: 60"
        )
        (tmp_path / name / "echo.yaml").write_text(long)
        (tmp_path / name / "hello.jsonl").write_text("{}\n")
    arguments = ("run", "echo.yaml", "--address", cluster.address)
    before = answer(shop)
    first = start_orchestrator(*arguments, cwd=tmp_path / "first")
    try:
        wait_for_load(first)
        second = orchestrator(*arguments, cwd=tmp_path / "second")
    finally:
        output = stop(first, signal.SIGTERM)
    assert second.returncode == 1
    assert "another study is running on the cluster" in second.stderr
    assert first.returncode == 130, output
    assert "Interrupted" in output
    assert "Traceback" not in output
    assert run_states("first", tmp_path / "first") == ["KILLED", "KILLED"]  # the study and its first trial
    assert load_clients() == []
    assert served(cluster) == ["shop"]
    assert answer(shop)["pid"] == before["pid"]


def test_a_finished_study_can_be_given_more_trials_at_once_and_show_shows_them(study, cluster):
    before = study["document"]
    resume = ("run", "--resume", before["study_id"], "--address", cluster.address, "--json")
    nothing_left = orchestrator(*resume, cwd=study["directory"])
    assert nothing_left.returncode == 2
    assert "--more N adds some" in nothing_left.stderr
    done = orchestrator(*resume, "--more", "1", cwd=study["directory"])
    assert done.returncode == 0, done.stderr
    after = json.loads(done.stdout)
    assert after["study_id"] == before["study_id"]
    assert after["trials"][:-1] == before["trials"]
    assert [trial["number"] for trial in after["trials"]] == [0, 1, 2, 3]
    shown = orchestrator("show", before["study_id"], "--json", cwd=study["directory"])
    assert json.loads(shown.stdout) == after


def test_a_study_whose_application_never_works_ends_early_with_the_reason(cluster, tmp_path):
    space = "space: {Echo.ray_actor_options.num_cpus: {choice: [0.1, 0.2, 0.3, 0.4]}}\n"
    broken = (
        EXPERIMENT.replace(SPACE, space).replace("{mode: good}", "{mode: broken}").replace("trials: 2", "trials: 4")
    )
    (tmp_path / "echo.yaml").write_text(broken)
    (tmp_path / "hello.jsonl").write_text("{}\n")
    done = orchestrator("run", "echo.yaml", "--address", cluster.address, cwd=tmp_path)
    assert done.returncode == 1
    assert "first 3 trials have all failed" in done.stderr
    assert "mode 'broken' is not supported" in done.stderr
    assert "Traceback" not in done.stderr + done.stdout
    kept = json.loads(orchestrator("show", "--json", cwd=tmp_path).stdout)
    assert [trial["status"] for trial in kept["trials"]] == ["FAILED"] * 3


def test_an_address_where_no_cluster_is_gives_one_clear_line(tmp_path: Path):
    (tmp_path / "echo.yaml").write_text(EXPERIMENT)
    (tmp_path / "hello.jsonl").write_text("{}\n")
    done = orchestrator("run", "echo.yaml", "--address", "127.0.0.1:1", cwd=tmp_path)
    assert done.returncode == 1
    assert "no Ray cluster answers at 127.0.0.1:1" in done.stderr
    assert "Traceback" not in done.stderr + done.stdout


def token_model(path: Path) -> None:
    """Two inputs of different types with two free axes, as a text encoder has them; ids index a table of 8 rows."""
    inputs = [
        helper.make_tensor_value_info("input_ids", TensorProto.INT64, ["batch", "length"]),
        helper.make_tensor_value_info("attention_mask", TensorProto.FLOAT, ["batch", "length"]),
    ]
    output = helper.make_tensor_value_info("pooled", TensorProto.FLOAT, ["batch", 3])
    table = helper.make_tensor("table", TensorProto.FLOAT, [8, 3], [float(value) for value in range(24)])
    last = helper.make_tensor("last", TensorProto.INT64, [1], [-1])
    middle = helper.make_tensor("middle", TensorProto.INT64, [1], [1])
    nodes = [
        helper.make_node("Gather", ["table", "input_ids"], ["embedded"]),
        helper.make_node("Unsqueeze", ["attention_mask", "last"], ["mask"]),
        helper.make_node("Mul", ["embedded", "mask"], ["masked"]),
        helper.make_node("ReduceSum", ["masked", "middle"], ["pooled"], keepdims=0),
    ]
    graph = helper.make_graph(nodes, "encoder", inputs, [output], [table, last, middle])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), path)


def test_a_model_given_by_its_path_is_served_and_gets_valid_inputs(cluster, tmp_path):
    token_model(tmp_path / "encoder.onnx")
    (tmp_path / "encoder.yaml").write_text(ENCODER.format(model=tmp_path / "encoder.onnx"))
    done = orchestrator("run", "encoder.yaml", "--address", cluster.address, "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["name"] == "encoder"
    for trial in document["trials"]:
        assert trial["status"] == "COMPLETE"
        assert trial["metrics"]["error_ratio"] == 0
        assert trial["metrics"]["batch_size_mean"] > 1


def test_a_checklist_is_gone_through_and_ends_with_an_experiment_that_searches_what_it_found(cluster, tmp_path):
    (tmp_path / "precise.yaml").write_text(PRECISE)
    (tmp_path / "hello.jsonl").write_text('{"hello": 1}\n')
    arguments = ("checklist", "precise.yaml", "--address", cluster.address, "--json", "--budget", "60s")
    done = orchestrator(*arguments, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    found = {one["item"]: one for one in document["items"]}
    assert (found["int8"]["answer"], found["int8"]["change"]) == ("gain", {"args.precision": "int8"})
    assert found["int8"]["gain"]["lo"] > 1.2
    assert (found["fp16"]["answer"], found["JPEG decoding"]["answer"]) == ("does not apply", "does not apply")
    assert found["over-padding"]["finding"] == "the application takes no `padding`"
    assert found["versions"]["finding"]
    assert "int8" in document["first"]
    assert "args.precision" in load_experiment(tmp_path / "precise.checklist.yaml").space.paths()
    assert orchestrator("check", "precise.checklist.yaml", cwd=tmp_path).returncode == 0
    assert "RUNNING" not in run_states("precise.checklist", tmp_path)
    shown = orchestrator("show", "precise.checklist", cwd=tmp_path)
    assert shown.returncode == 0, shown.stderr
