"""A study of the pipeline with real Ray: by a DataLoader in the job's process, and by Ray Data beside it."""

from __future__ import annotations

import json

import yaml

from tests.integration.conftest import orchestrator

EXPERIMENT = """
name: photos
mode: offline
app:
  import_path: serve_apps.offline.pipeline:build
  args:
    {model: resnet_cifar, engine: torch, workers: 1, batch_size: 4, items: 8, photos: 4, size: [64, 48], threads: 1}
measure: {warmup_s: 0, warmup_max_s: 0.1, min_s: 0.1, max_s: 20, precision: 0.9, validity: warn}
objective: {maximize: items_per_s}
space:
  args.engine: {choice: [torch, ray_data]}
  args.batch_size: {choice: [4]}
across: args.engine
search: {algorithm: grid, trials: 1}
confirm: {top: 0}
"""
PARTS = {f"part_{name}_ms" for name in ("load", "decode", "first_batch", "inference", "idle")}


def test_both_engines_are_measured_and_one_configuration_is_found_for_both(tmp_path):
    (tmp_path / "photos.yaml").write_text(EXPERIMENT)
    ran = orchestrator("run", "photos.yaml", "--json", cwd=tmp_path)
    assert ran.returncode == 0, ran.stderr
    document = json.loads(ran.stdout)
    assert [trial["status"] for trial in document["trials"]] == ["COMPLETE"] * 2, document["trials"]
    for trial in document["trials"]:
        assert trial["metrics"]["batch_size_mean"] == 8
        assert set(trial["metrics"]) >= PARTS
        assert trial["metrics"]["part_first_batch_ms"] > 0
        assert trial["metrics"]["part_inference_ms"] > 0
    assert document["across"]["values"] == ["ray_data", "torch"]
    assert document["across"]["robust"]["regret_mean"] == 0
    exported = orchestrator("export", cwd=tmp_path)
    assert "recommended for all values of args.engine" in exported.stdout
    assert yaml.safe_load(exported.stdout)["args"]["batch_size"] == 4
