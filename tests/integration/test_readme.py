"""A stranger follows the README: every command in it is run, here or in the test that is named for it."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys

import pytest

from tests.integration.conftest import (
    BIN,
    ROOT,
    command_environment,
    first_answer,
    made_easy,
    orchestrator,
)

RUN_HERE = {
    "make demo",
    "orchestrator show",
    "orchestrator ui",
    "orchestrator export -o winner.yaml",
    "orchestrator check mine.yaml",
    "orchestrator run mine.yaml --trials 2",
    "orchestrator doctor",
    "orchestrator load http://127.0.0.1:8000/ --rate 200 --slo p99=50ms",
}
RUN_ELSEWHERE = {  # command -> file and text in it that runs it
    "make test": (".ci/run", "make test"),
    "serve deploy winner.yaml": ("tests/integration/test_own_proxy.py", '"deploy", demo / "winner.yaml"'),
    "ray up cluster.yaml": (
        "tests/contract/test_cluster_yaml.py",
        "validate_config",
    ),
    "ray exec cluster.yaml 'orchestrator run search_spaces/digits.yaml --address auto'": (
        "tests/integration/test_existing_cluster.py",
        '"--address"',
    ),
    "ray down cluster.yaml": ("tests/contract/test_cluster_yaml.py", "validate_config"),
}
README = (ROOT / "README.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


def test_every_command_of_the_readme_is_run_by_a_test():
    lines = [line for block in blocks("sh") for line in block.splitlines()]
    commands = {re.split(r"\s+# ", line)[0].strip() for line in lines}
    assert commands == RUN_HERE | set(RUN_ELSEWHERE)
    for file, text in RUN_ELSEWHERE.values():
        assert text in (ROOT / file).read_text()


def test_the_demo_ends_with_the_winner_and_the_way_to_the_ui(demo):
    printed = (demo / "printed").read_text()
    assert "baseline" in printed
    assert "nothing within the SLO yet" in printed  # the live display was there
    assert "Winner: " in printed
    assert "orchestrator ui" in printed


def test_show_lists_the_trials_of_the_demo(demo):
    shown = orchestrator("show", cwd=demo)
    assert shown.returncode == 0, shown.stderr
    assert "baseline" in shown.stdout
    assert re.search(r"mattered|to matter|has a part in", shown.stdout), "what the study teaches"


def test_export_writes_a_trial_as_a_serve_config(demo):
    exported = orchestrator("export", "-o", "winner.yaml", "--trial", "0", cwd=demo)
    assert exported.returncode == 0, exported.stderr
    assert "import_path: serve_apps.classifier:build" in (demo / "winner.yaml").read_text()


def test_the_readmes_own_experiment_is_valid_and_runs(demo):
    (experiment,) = blocks("yaml")
    (demo / "mine.yaml").write_text(made_easy(experiment, measure="ceiling: false"))
    checked = orchestrator("check", "mine.yaml", cwd=demo)
    assert checked.returncode == 0, checked.stderr
    assert "Classifier.user_config.max_batch_size" in checked.stdout
    ran = orchestrator("run", "mine.yaml", "--trials", "2", cwd=demo)
    assert ran.returncode == 0, ran.stderr
    assert len(re.findall(r" COMPLETE ", ran.stdout)) == 3, ran.stdout


def test_doctor_finds_this_machine_ready(tmp_path):
    examined = orchestrator("doctor", cwd=tmp_path)
    assert examined.returncode == 0, examined.stdout
    assert "data plane" in examined.stdout


def test_load_measures_a_server_that_is_already_running(tmp_path):
    server = subprocess.Popen(
        [sys.executable, ROOT / "benchmarks" / "null_server.py"], stdout=subprocess.PIPE, text=True, cwd=tmp_path
    )
    try:
        url = f"http://127.0.0.1:{int(server.stdout.readline())}/"
        loaded = orchestrator("load", url, "--rate", "200", "--slo", "p99=50ms", cwd=tmp_path)
    finally:
        server.terminate()
        server.wait(timeout=10)
    assert loaded.returncode == 0, loaded.stderr
    assert "95 % interval" in loaded.stdout


def test_ui_serves_mlflow_on_loopback(demo):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    ui = subprocess.Popen(
        [BIN / "orchestrator", "ui", "--port", str(port)],
        cwd=demo,
        env=command_environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        assert b"MLflow" in first_answer(f"http://127.0.0.1:{port}/", timeout_s=120)
    finally:
        os.killpg(ui.pid, signal.SIGINT)  # as Ctrl-C in a terminal does
        ui.wait(timeout=30)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=5)
