"""Somebody's own ONNX model: served by its path, loaded with payloads made from its inputs."""

from __future__ import annotations

import json
from pathlib import Path

import onnx
from onnx import TensorProto, helper

from tests.integration.conftest import orchestrator

EXPERIMENT = """
app:
  import_path: serve_apps.classifier:build
  args: {{model: {model}}}
  deployments:
    - name: Classifier
      ray_actor_options: {{num_cpus: 0.1}}
      user_config: {{max_batch_size: 4, batch_wait_timeout_s: 0.001}}
load: {{closed_loop: {{concurrency: 4}}}}
measure: {{warmup_s: 0.2, min_s: 0.5, max_s: 0.5}}
objective: {{minimize: latency_p99_ms}}
space:
  Classifier.user_config.max_batch_size: {{choice: [2, 4]}}
search: {{algorithm: random, trials: 1}}
"""


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
    (tmp_path / "encoder.yaml").write_text(EXPERIMENT.format(model=tmp_path / "encoder.onnx"))
    done = orchestrator("run", "encoder.yaml", "--address", cluster.address, "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["name"] == "encoder"
    for trial in document["trials"]:
        assert (trial["status"], trial["reasons"]) == ("COMPLETE", [])
        assert trial["metrics"]["error_ratio"] == 0
        assert trial["metrics"]["batch_size_mean"] > 1
