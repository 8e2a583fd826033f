"""The pipeline with real Ray: a DataLoader in a trial's process, and Ray Data on a cluster."""

from __future__ import annotations

import json
import subprocess
import sys

import yaml

from orchestrator.job.contract import read_report
from tests.integration.conftest import ROOT, command_environment, orchestrator

ARGS = {"model": "resnet_cifar", "workers": 1, "batch_size": 4, "items": 8, "photos": 4, "size": [64, 48], "threads": 1}
EXPERIMENT = f"""
name: photos
mode: offline
app:
  import_path: serve_apps.offline.pipeline:build
  args: {json.dumps({**ARGS, "engine": "torch", "data": "jpegs"})}
measure: {{warmup_s: 0, warmup_max_s: 0.1, min_s: 0.1, max_s: 20, precision: 0.9, validity: warn}}
objective: {{maximize: items_per_s}}
space:
  args.data: {{choice: [jpegs, tensors]}}
  args.batch_size: {{choice: [4]}}
across: args.data
search: {{algorithm: grid, trials: 1}}
confirm: {{top: 0}}
"""
ONE_RUN = f"""
import json, ray
from serve_apps.offline.pipeline import build, prepare
args = {{**{ARGS!r}, "engine": "ray_data"}}
prepare(args)
ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
print(json.dumps(build(args).step()))
"""
PARTS = {f"{name}_ms" for name in ("load", "decode", "first_batch", "inference", "idle")}


def test_a_study_of_the_data_finds_one_configuration_for_both_kinds(tmp_path):
    (tmp_path / "photos.yaml").write_text(EXPERIMENT)
    ran = orchestrator("run", "photos.yaml", "--json", cwd=tmp_path)
    assert ran.returncode == 0, ran.stderr
    document = json.loads(ran.stdout)
    assert [trial["status"] for trial in document["trials"]] == ["COMPLETE"] * 2, document["trials"]
    for trial in document["trials"]:
        assert trial["metrics"]["batch_size_mean"] == 8
        assert set(trial["metrics"]) >= {f"part_{name}" for name in PARTS}
        assert (trial["metrics"]["part_decode_ms"] == 0) == (trial["config"]["args.data"] == "tensors")
    assert document["across"]["values"] == ["jpegs", "tensors"]
    assert document["across"]["robust"]["regret_mean"] == 0
    exported = orchestrator("export", cwd=tmp_path)
    assert "recommended for all values of args.data" in exported.stdout
    assert yaml.safe_load(exported.stdout)["args"]["batch_size"] == 4


def test_ray_data_does_the_same_run():
    ran = subprocess.run(
        [sys.executable, "-c", ONE_RUN],
        env=command_environment(),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert ran.returncode == 0, ran.stderr
    report = read_report(json.loads(ran.stdout.splitlines()[-1]))
    assert report.items == 8
    assert set(report.parts) == PARTS
    assert all(report.parts[name] > 0 for name in PARTS - {"idle_ms"})
