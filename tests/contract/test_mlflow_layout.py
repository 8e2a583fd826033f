"""What stands where in MLflow: runs, params, metrics, tags and artifacts, as docs/tracking.md promises."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import yaml

from orchestrator.confirmation import confirmed
from orchestrator.document import several_document
from orchestrator.errors import TrackingError, UsageError
from orchestrator.result import Objective, StudyResult
from orchestrator.tracking.mlflow_tracker import open_tracker
from orchestrator.tracking.store import ui_command
from tests.contract.test_trackers import (
    ENDINGS,
    EXPORT,
    KNOBS,
    SERVE,
    compared,
    complete,
    replications,
    run,
    samples,
    start,
)

ROOT = Path(__file__).parents[2]
METRICS = {
    "throughput_rps",
    "throughput_rps_lo",
    "throughput_rps_hi",
    "items_per_s",
    "goodput_rps",
    "latency_mean_ms",
    "latency_std_ms",
    "latency_p50_ms",
    "latency_p90_ms",
    "latency_p95_ms",
    "latency_p99_ms",
    "latency_max_ms",
    "queue_ms_mean",
    "compute_ms_mean",
    "batch_size_mean",
    "error_ratio",
    "requests",
    "successes",
    "duration_s",
    "overhead_s",
    "wall_s",
    "score",
    "violation",
}


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return tmp_path_factory.mktemp("layout") / "with space"


@pytest.fixture(scope="module")
def tracker(root):
    return open_tracker(None, root)


@pytest.fixture(scope="module")
def client(tracker):
    return tracker._client


@pytest.fixture(scope="module")
def study_id(tracker):
    """Baseline, winner and an infeasible trial, finished."""
    study_id = start(tracker, "layout")
    trials = (complete(0, 100.0), complete(7, 250.0), replace(ENDINGS["infeasible"], number=8))
    for trial in trials:
        run(tracker, trial)
    tracker.finish_study(StudyResult(study_id, "layout", "hyperopt", 7, True, "throughput_rps", trials))
    return study_id


def trial_run(client, study_id, number):
    experiment = client.get_run(study_id).info.experiment_id
    children = f"tags.`mlflow.parentRunId` = '{study_id}' and tags.trial = '{number}'"
    (found,) = client.search_runs([experiment], children)
    return found


def artifact(client, run_id, path, tmp_path):
    return Path(client.download_artifacts(run_id, path, str(tmp_path))).read_bytes()


def names(client, run_id):
    return {file.path for file in client.list_artifacts(run_id)}


def test_everything_is_kept_under_mlruns(root, study_id):
    assert (root / "mlruns/mlflow.db").is_file()
    assert (root / f"mlruns/artifacts/{study_id}/artifacts/environment.json").is_file()


def test_the_study_is_a_parent_run_with_its_facts(client, study_id):
    parent = client.get_run(study_id)
    tags = parent.data.tags
    assert client.get_experiment(parent.info.experiment_id).name == "layout"
    assert (parent.info.run_name, parent.info.status) == ("layout", "FINISHED")
    assert (tags["kind"], tags["algorithm"], tags["seed"]) == ("study", "hyperopt", "7")
    assert (tags["objective"], tags["maximize"]) == ("throughput_rps", "true")
    assert "further_objectives" not in tags
    assert tags["orchestrator_version"]
    assert tags["mlflow.user"]
    assert tags["mlflow.source.git.commit"] == "1f3e"
    assert parent.data.params["host"] == "box"
    assert parent.data.params["git.dirty"] == "false"


def test_objectives_beside_the_first_are_a_tag(tracker, client):
    study_id = start(tracker, "several", further=(Objective("cost_per_million", False),))
    tracker.kill("done")
    tags = client.get_run(study_id).data.tags
    assert (tags["objective"], tags["further_objectives"]) == ("throughput_rps", '[{"minimize": "cost_per_million"}]')


def test_the_study_keeps_its_file_its_environment_and_the_winner(client, study_id, tmp_path):
    assert names(client, study_id) == {"layout.yaml", "environment.json", "winner.yaml", "trials.jsonl"}
    assert artifact(client, study_id, "layout.yaml", tmp_path) == b"name: layout\n"
    assert json.loads(artifact(client, study_id, "environment.json", tmp_path))["host"] == "box"
    assert yaml.safe_load(artifact(client, study_id, "winner.yaml", tmp_path)) == EXPORT


def test_a_study_that_ended_is_read_from_one_file_and_one_that_goes_on_from_the_run_of_each_trial(tracker, client):
    study_id = start(tracker, "one-file")
    trials = (complete(0, 100.0), complete(1, 250.0))
    for trial in trials:
        run(tracker, trial)
    tracker.finish_study(StudyResult(study_id, "one-file", "random", 7, True, "throughput_rps", trials))
    client.delete_run(trial_run(client, study_id, 1).info.run_id)
    assert [trial.number for trial in tracker.load_study(study_id).trials] == [0, 1]
    tracker.resume_study(study_id)
    run(tracker, complete(2, 300.0))
    tracker.kill("interrupted")
    assert [trial.number for trial in tracker.load_study(study_id).trials] == [0, 2]


def test_the_study_says_what_was_best_and_what_it_gained(client, study_id):
    parent = client.get_run(study_id)
    assert parent.data.tags["best_trial"] == "7"
    assert parent.data.metrics["best_throughput_rps"] == 250.0
    assert parent.data.metrics["gain_throughput"] == 2.5
    assert parent.data.metrics["gain_p99"] == 1.0


def test_a_confirmed_study_keeps_the_gains_interval_the_recommended_config_and_its_replications_apart(
    tracker, client, tmp_path
):
    study_id = start(tracker, "confirmed")
    simple = replace(complete(2, 249.0), export_config={"applications": [{"name": "simple"}]})
    big = {"applications": [{"name": "big", "deployments": [{"name": "C", "num_replicas": 2}]}]}
    trials = (complete(0, 100.0), replace(complete(1, 250.0), export_config=big), simple)
    again = replications({1: (240.0, 243.0, 238.0), 2: (239.0, 243.0, 237.0), 0: (101.0, 102.0, 100.0)})
    for result in (*trials, *again):
        run(tracker, result)
    tracker.finish_study(
        confirmed(StudyResult(study_id, "confirmed", "hyperopt", 7, True, "throughput_rps", trials, replications=again))
    )
    parent, child = client.get_run(study_id), trial_run(client, study_id, 21)
    assert (parent.data.tags["best_trial"], parent.data.tags["recommended_trial"]) == ("1", "2")
    figures = [parent.data.metrics[f"gain_throughput{end}"] for end in ("_lo", "", "_hi")]
    assert figures == sorted(figures)
    assert figures[1] == pytest.approx(2.38, rel=0.01)
    assert yaml.safe_load(artifact(client, study_id, "winner.yaml", tmp_path)) == simple.export_config
    assert child.info.run_name == "trial-21-confirms-01"
    assert {tag: child.data.tags[tag] for tag in ("kind", "confirms", "replication")} == {
        "kind": "replication",
        "confirms": "1",
        "replication": "1",
    }


def test_a_trial_is_a_child_run_with_its_knobs_and_figures(client, study_id):
    child = trial_run(client, study_id, 7)
    assert (child.info.run_name, child.info.status) == ("trial-07", "FINISHED")
    assert trial_run(client, study_id, 0).info.run_name == "baseline"
    assert child.data.params == {
        "C.user_config.max_batch_size": "8",
        "C.user_config.wait_s": "0.0021",
        "args.precision": "fp16",
        "args.x": "null",
    }
    assert set(child.data.metrics) == METRICS  # batch_wait_ms_mean was not measured
    assert child.data.metrics["throughput_rps"] == 250.0
    assert child.data.metrics["overhead_s"] == 2.25
    assert child.data.tags["status"] == "COMPLETE"


def test_a_trial_keeps_its_record_its_config_and_its_samples(client, study_id, tmp_path):
    run_id = trial_run(client, study_id, 7).info.run_id
    assert names(client, run_id) == {"trial.json", "serve_config.yaml", "samples.parquet"}
    assert yaml.safe_load(artifact(client, run_id, "serve_config.yaml", tmp_path)) == SERVE
    assert json.loads(artifact(client, run_id, "trial.json", tmp_path))["config"] == KNOBS
    table = pq.read_table(client.download_artifacts(run_id, "samples.parquet", str(tmp_path)))
    assert table.column_names == list(samples(1).columns())
    assert table["done_s"].to_numpy().tolist() == samples(50).done_s.tolist()
    assert table["status"].to_numpy().dtype == "int16"


def test_a_trial_without_a_number_is_a_failed_run_with_its_reasons(client, study_id):
    child = trial_run(client, study_id, 8)
    assert child.info.status == "FAILED"
    assert child.data.tags["status"] == "INFEASIBLE"
    assert child.data.tags["reasons"] == "no node has 64 CPUs\nneeds 64, has 2"
    assert set(child.data.metrics) == {"overhead_s", "wall_s"}
    assert names(client, child.info.run_id) == {"trial.json"}


def test_a_killed_study_leaves_no_run_running(tracker, client):
    study_id = start(tracker, "killed")
    run(tracker, complete(0))
    tracker.start_trial(1, KNOBS)
    tracker.kill("SIGTERM")
    runs = {number: trial_run(client, study_id, number) for number in (0, 1)}
    assert runs[0].info.status == "FINISHED"
    assert (runs[1].info.status, runs[1].data.tags["killed"]) == ("KILLED", "SIGTERM")
    assert client.get_run(study_id).data.tags["killed"] == "SIGTERM"


def test_a_study_interrupted_while_a_trial_is_stored_can_be_killed(tracker, client, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    study_id = start(tracker, "interrupted")
    tracker.start_trial(0, KNOBS)
    monkeypatch.setattr(client, "log_artifacts", interrupt)
    with pytest.raises(KeyboardInterrupt):
        tracker.finish_trial(complete(0))
    tracker.kill("interrupted")
    assert trial_run(client, study_id, 0).info.status == "KILLED"
    assert client.get_run(study_id).info.status == "KILLED"
    assert tracker.load_study(study_id).trials == ()


def test_a_study_that_cannot_be_recorded_is_killed(tracker, client, monkeypatch):
    def full_disk(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(client, "log_artifacts", full_disk)
    with pytest.raises(TrackingError, match="No space left"):
        start(tracker, "unrecorded")
    assert tracker.studies()[0].status == "KILLED"


def test_more_knobs_than_one_request_takes_are_all_kept(tracker, client):
    study_id = start(tracker, "many-knobs")
    tracker.start_trial(0, {f"knob.{index}": index for index in range(250)})
    tracker.kill("done")
    assert len(trial_run(client, study_id, 0).data.params) == 250


def test_a_deleted_experiment_is_restored_by_its_next_study(tracker, client):
    start(tracker, "deleted")
    tracker.kill("done")
    client.delete_experiment(client.get_experiment_by_name("deleted").experiment_id)
    assert "deleted" not in [study.name for study in tracker.studies()]
    study_id = start(tracker, "deleted")
    tracker.kill("done")
    assert tracker.load_study("deleted").study_id == study_id


def test_runs_of_others_in_the_store_are_left_alone(tracker, client):
    study_id = start(tracker, "shared")
    experiment = client.get_run(study_id).info.experiment_id
    client.create_run(experiment, run_name="somebody else's")
    tracker.kill("done")
    assert [study.study_id for study in tracker.studies() if study.name == "shared"] == [study_id]
    assert tracker.load_study("shared").trials == ()


@pytest.mark.parametrize(
    ("uri", "says"),
    [
        pytest.param("http://127.0.0.1:9", "Is a tracking server", id="nobody-listens"),
        pytest.param("./runs", "MLflow has given up plain directories", id="a-plain-directory"),
        pytest.param("http://[", "not a store", id="not-a-url"),
        pytest.param("foo://bar", "A store is sqlite:", id="unknown-scheme"),
        pytest.param("postgresql://me:secret@127.0.0.1:9/x", "://***@127.0.0.1:9/x", id="database-password-hidden"),
        pytest.param("sqlite:////dev/null/mlflow.db", "directory that can be written", id="no-such-directory"),
    ],
)
def test_a_store_that_cannot_be_used_is_named_with_a_cure(uri, says, tmp_path):
    with pytest.raises(TrackingError) as caught:
        open_tracker(uri, tmp_path)
    assert says in str(caught.value)
    assert "secret" not in str(caught.value)
    assert (uri in str(caught.value)) != ("secret" in uri)


def test_a_file_that_is_no_database_is_an_error(tmp_path):
    (tmp_path / "notes.txt").write_text("not a database " * 100)
    with pytest.raises(TrackingError, match="not a database"):
        open_tracker(f"sqlite:///{tmp_path}/notes.txt", tmp_path)


def test_nothing_is_printed_while_a_study_is_kept(tmp_path):
    script = (
        "from pathlib import Path\n"
        "from tests.contract.test_trackers import complete, run, start\n"
        "from orchestrator.tracking import open_tracker\n"
        f"tracker = open_tracker(None, Path({str(tmp_path)!r}))\n"
        "start(tracker, 'quiet')\n"
        "run(tracker, complete(0))\n"
        "tracker.kill('done')\n"
        "tracker.load_study(None)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120, cwd=ROOT)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_mlflow_is_imported_only_when_a_store_is_opened():
    script = "import sys, orchestrator.tracking; sys.exit('mlflow' in sys.modules or 'sqlalchemy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], timeout=60).returncode == 0


def test_the_ui_serves_the_default_store_on_loopback(tmp_path):
    command = ui_command(None, tmp_path, 5001)
    assert command[0] == "env"
    assert "MLFLOW_SERVER_ENABLE_JOB_EXECUTION=false" in command
    server = command.index(sys.executable)
    assert command[server : server + 4] == [sys.executable, "-m", "mlflow", "server"]
    options = dict(zip(command[server + 4 :: 2], command[server + 5 :: 2], strict=True))
    assert options == {
        "--backend-store-uri": f"sqlite:///{tmp_path}/mlruns/mlflow.db",
        "--host": "127.0.0.1",
        "--port": "5001",
        "--workers": "1",
        "--uvicorn-opts": "--log-level critical",
    }


def test_the_ui_of_a_tracking_server_is_its_own_page(tmp_path):
    with pytest.raises(UsageError, match="open http://box:5000 in a browser"):
        ui_command("http://box:5000", tmp_path, 5001)


def test_pages_are_artifacts_and_the_description_heads_the_page(tracker, client, study_id, tmp_path):
    tracker.add_pages(study_id, {"figures.html": "<p>±</p>"}, "**no winner**")
    assert artifact(client, study_id, "figures.html", tmp_path).decode() == "<p>±</p>"
    assert client.get_run(study_id).data.tags["mlflow.note.content"] == "**no winner**"


def test_a_comparison_of_workloads_is_a_run_over_those_of_its_studies(tracker, client, tmp_path):
    several = compared(tracker, "workloads")
    run_id = tracker.add_comparison("workloads", several, {"figures.html": "<p>±</p>"}, "**the second**")
    run = client.get_run(run_id)
    assert (run.info.run_name, run.info.status, run.data.tags["kind"]) == (
        *("workloads.compared", "FINISHED", "comparison"),
    )
    assert client.get_experiment(run.info.experiment_id).name == "workloads"
    assert run.data.tags["mlflow.note.content"] == "**the second**"
    assert run.data.metrics["gain_over_baseline.few"] == 2.5
    assert run.data.metrics["regret_mean"] == 0
    assert names(client, run_id) == {"figures.html", "comparison.json"}
    document = json.loads(artifact(client, run_id, "comparison.json", tmp_path))
    assert document == several_document(several)
    studies = (*(one.study for one in several.searched.values()), *several.compared.values())
    assert {client.get_run(study.study_id).data.tags["mlflow.parentRunId"] for study in studies} == {run_id}


def test_trials_that_a_killed_process_left_open_are_closed_when_the_study_goes_on(tracker, client):
    study_id = start(tracker, "left-open")
    tracker.start_trial(0, KNOBS)
    tracker.resume_study(study_id)
    tracker.start_trial(1, KNOBS)
    assert [trial_run(client, study_id, number).info.status for number in (0, 1)] == ["KILLED", "RUNNING"]
    tracker.kill("done")
