"""A study on a cluster that the command starts itself: what comes out, what is kept, and what is left behind."""

from __future__ import annotations

import json
import signal
from collections import Counter
from pathlib import Path

import mlflow
import psutil
import pyarrow.parquet
import yaml

from orchestrator.measure.measurement import Measurement
from orchestrator.measure.samples import Samples
from tests.integration.conftest import (
    command,
    run_states,
    start_orchestrator,
    stop,
    wait_for_load,
)

EXPERIMENT = """
name: long
app:
  import_path: serve_apps.classifier:build
  args: {model: digits}
  deployments:
    - name: Classifier
      limits: {gpu_clock_mhz: 900}
      user_config: {max_batch_size: 1, batch_wait_timeout_s: 0.0}
load: {closed_loop: {concurrency: 8}}
measure: {warmup_s: 0.3, warmup_max_s: 2, min_s: 60, max_s: 60, ceiling: false}
objective: {maximize: throughput_rps}
space:
  Classifier.user_config.max_batch_size: {choice: [4, 8]}
search: {algorithm: hyperopt, trials: 2}
"""
PYNVML = """
import sys
from pathlib import Path

from tests.fakes.nvml import WrittenNvml

sys.modules[__name__] = WrittenNvml(Path(__file__).with_name("clocks"))
"""
FIGURES = {*Measurement.__dataclass_fields__} - {"intervals", "percentiles", "max_rate_rps"}
METRICS = {
    *FIGURES,
    *("throughput_rps_lo", "throughput_rps_hi", "latency_p99_ms_lo", "latency_p99_ms_hi"),
    *("compute_share", "compute_ms_tail", "batch_fill", "replica_cpu_cores", "client_cpu_share", "ceiling_rps"),
    "overhead_s",
}


def test_the_document_has_all_of_the_study(document):
    assert set(document) == {
        *("study_id", "name", "algorithm", "seed", "inputs", "trials", "baseline", "best", "gain"),
        *("confirmation", "replications", "objectives", "front", "pruned", "across"),
    }
    assert [trial["status"] for trial in document["trials"]] == ["COMPLETE"] * 3
    assert document["baseline"] == document["trials"][0]
    assert document["best"] in document["trials"]
    assert set(document["gain"]) == {"throughput", "p99"}


def test_the_winner_is_confirmed_by_fresh_deployments_in_turn(document):
    confirmation, replications = document["confirmation"], document["replications"]
    order = [replication["confirms"] for replication in replications]
    assert set(order) == set(confirmation["candidates"]) >= {0}
    assert confirmation["replications"] == 3
    count = len(confirmation["candidates"])
    assert order[:count] == order[count : 2 * count][::-1] == order[2 * count :]
    assert [replication["number"] for replication in replications] == list(range(3, 3 + 3 * count))
    assert document["best"]["number"] == confirmation["best"]
    if confirmation["best"]:
        gain = document["gain"]["throughput"]
        assert gain["lo"] < gain["value"] < gain["hi"]
        assert gain["confidence"] == 0.99
    # to remove an application and to start its replicas anew takes longer than any change in place
    assert all(replication["overhead_s"] > 1 for replication in replications)


def test_every_trial_has_every_metric_and_the_servers_own_times(document):
    for trial in document["trials"]:
        assert set(trial["metrics"]) >= METRICS
        assert trial["metrics"]["requests"] > 20
        assert 0 < trial["metrics"]["compute_ms_mean"] < trial["metrics"]["latency_mean_ms"]
        assert trial["metrics"]["throughput_rps_lo"] < trial["metrics"]["throughput_rps_hi"]
        assert trial["slo"].keys() == {"latency_p99_ms", "error_ratio"}
        assert trial["explanation"]


def test_batches_form_when_they_may(document):
    limits = [trial["config"]["Classifier.user_config.max_batch_size"] for trial in document["trials"]]
    means = [trial["metrics"]["batch_size_mean"] for trial in document["trials"]]
    assert limits[0] == means[0] == 1
    assert max(limits) >= 4
    assert 1.5 < means[limits.index(max(limits))] <= max(limits)


def test_mlflow_holds_a_parent_run_and_a_child_run_per_trial_with_samples_and_config(document, demo):
    store = f"sqlite:///{demo / 'mlruns' / 'mlflow.db'}"
    client = mlflow.MlflowClient(store, store)
    parent = client.get_run(document["study_id"])
    assert parent.info.status == "FINISHED"
    children = client.search_runs([parent.info.experiment_id], f"tags.`mlflow.parentRunId` = '{document['study_id']}'")
    kinds = Counter(run.data.tags["kind"] for run in children)
    assert kinds == {"trial": 3, "replication": len(document["replications"])}
    assert {artifact.path for artifact in client.list_artifacts(document["study_id"])} >= {
        "digits.yaml",
        "environment.json",
        "winner.yaml",
        "figures.html",
    }
    assert "Winner: " in parent.data.tags["mlflow.note.content"]
    environment = json.loads(
        Path(
            mlflow.artifacts.download_artifacts(
                run_id=document["study_id"], artifact_path="environment.json", tracking_uri=store
            )
        ).read_text()
    )
    assert environment["data_plane"] == "haproxy"
    assert environment["serve_variables"]["RAY_SERVE_ENABLE_HA_PROXY"] == "1"  # the cluster's, not the command's
    for run in children:
        assert set(run.data.metrics) >= METRICS
        assert {"status", "verdict", "slo.latency_p99_ms", "explanation"} <= set(run.data.tags)
        assert "Classifier.user_config.max_batch_size" in run.data.params
        files = Path(mlflow.artifacts.download_artifacts(run_id=run.info.run_id, tracking_uri=store))
        samples = pyarrow.parquet.read_table(files / "samples.parquet")
        assert set(samples.column_names) >= set(Samples.__dataclass_fields__)
        assert samples.num_rows > run.data.metrics["requests"]  # warm-up is kept too, apart
        (application,) = yaml.safe_load((files / "serve_config.yaml").read_text())["applications"]
        assert application["name"] == "trial-slot-0"


def test_ctrl_c_keeps_what_is_done_and_leaves_nothing_behind(tmp_path):
    (tmp_path / "long.yaml").write_text(EXPERIMENT)
    (tmp_path / "pynvml.py").write_text(PYNVML)  # found before one that is installed
    clocks = tmp_path / "clocks"
    before = set(psutil.pids())
    process = start_orchestrator("run", "long.yaml", cwd=tmp_path)
    try:
        wait_for_load(process)
        assert clocks.read_text() == "900\n"
    finally:
        output = stop(process, signal.SIGINT)
    assert process.returncode == 130, output
    assert clocks.read_text().splitlines()[-1] == "its own", "the GPU has its clock back"
    assert "Interrupted" in output
    assert "Traceback" not in output
    assert left_behind(before) == []
    assert run_states("long", tmp_path) == ["KILLED", "KILLED"]  # the study and its first trial


def left_behind(before: set[int]) -> list[str]:
    """Names of Ray's and HAProxy's processes that were not there before."""
    names = []
    for process in psutil.process_iter(["pid", "name"]):
        name = process.info["name"]
        if process.info["pid"] not in before and name.startswith(("ray", "haproxy", "gcs_server")):
            names.append(name)
    return names


def test_the_command_is_also_a_module():
    for told in (command("orchestrator", "--help"), command("python", "-m", "orchestrator", "--help")):
        assert told.returncode == 0
        assert {"check", "run", "show", "export", "ui", "doctor"} <= set(told.stdout.split())
