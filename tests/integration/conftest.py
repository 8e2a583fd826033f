"""Real Ray, real Serve, real HTTP, real MLflow. Slow, so: few tests, and they share clusters and studies."""

from __future__ import annotations

import json
import os
import pty
import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import mlflow
import psutil
import pytest

from orchestrator.cluster import Cluster
from orchestrator.tracking.store import connect

ROOT = Path(__file__).parents[2]
HOLD = Path(__file__).parent / "hold_cluster.py"
BIN = Path(sys.executable).parent
EASY = {
    "measure": "{warmup_s: 0.3, warmup_max_s: 2, min_s: 0.5, max_s: 0.6, validity: warn, MORE}",
    "slo": "{p99_ms: 2000, error_ratio: 0.5}",
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.integration)


@contextmanager
def held_cluster(data_plane: str) -> Iterator[Cluster]:
    process = subprocess.Popen(
        [sys.executable, str(HOLD), data_plane],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=command_environment(),
    )
    try:
        yield Cluster(**json.loads(process.stdout.readline()))
    finally:
        process.stdin.close()
        process.wait(timeout=180)


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """A cluster that belongs to somebody else, as far as a study is concerned; one for all, for it takes ports."""
    with held_cluster("haproxy") as held:
        yield held


@pytest.fixture(scope="session")
def demo(tmp_path_factory) -> Path:
    """A checkout of its own, with the environment that the tests run in, after a short `make demo`."""
    checkout = tmp_path_factory.mktemp("checkout")
    for name in ("Makefile", "pyproject.toml", "constraints.txt"):
        shutil.copy2(ROOT / name, checkout)
    (checkout / "search_spaces").mkdir()
    experiment = (ROOT / "search_spaces" / "digits.yaml").read_text()
    (checkout / "search_spaces" / "digits.yaml").write_text(made_easy(experiment, top=2))
    (checkout / ".venv").symlink_to(sys.prefix)
    make = ["make", "-o", ".venv/.installed", "demo", "OPTIONS=--trials 2 --seed 1"]
    environment = {name: value for name, value in command_environment().items() if name != "RAY_AUTH_MODE"}
    code, printed = run_in_terminal(make, checkout, environment)
    assert code == 0, printed
    (checkout / "printed").write_text(printed)
    return checkout


@pytest.fixture(scope="session")
def document(demo) -> dict:
    """The JSON of the demo's study."""
    shown = orchestrator("show", "--json", cwd=demo)
    assert shown.returncode == 0, shown.stderr
    return json.loads(shown.stdout)


def run_in_terminal(arguments: list[str], cwd: Path, environment: dict[str, str]) -> tuple[int, str]:
    """Exit code of a command that takes its output for a terminal, and all that it wrote there, without colours."""
    ours, its = pty.openpty()
    environment = {**environment, "TERM": "xterm", "COLUMNS": "160", "LINES": "45"}
    process = subprocess.Popen(arguments, cwd=cwd, env=environment, stdout=its, stderr=its)
    os.close(its)
    written = bytearray()
    with os.fdopen(ours, "rb", buffering=0) as terminal, suppress(OSError):  # EIO: the last writer has closed it
        while part := terminal.read(65536):
            written += part
    return process.wait(timeout=60), re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", written.decode(errors="replace"))


def made_easy(experiment: str, top: int = 0, measure: str = "ceiling: true") -> str:
    """The text of an experiment with short measurements and a promise that a busy machine keeps.

    `top` is how many of the best trials are confirmed; `measure` says one thing more of that section.
    """
    for section, value in {**EASY, "measure": EASY["measure"].replace("MORE", measure)}.items():
        experiment, replaced = re.subn(rf"^{section}: .*$", f"{section}: {value}", experiment, flags=re.MULTILINE)
        assert replaced == 1, section
    without = re.sub(r"^confirm: .*\n", "", experiment, flags=re.MULTILINE)
    return f"{without}confirm: {{top: {top}}}\n"


def orchestrator(*arguments: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Runs our command as a user does, from a directory of its own."""
    has_store(cwd)
    return command("orchestrator", *arguments, cwd=cwd)


def has_store(directory: Path) -> None:
    """An empty store, unless there is one: MLflow takes seconds to make it, and the demo shows that it is made."""
    if not (directory / "mlruns").exists():
        shutil.copytree(empty_store().name, directory / "mlruns")


@cache
def empty_store() -> TemporaryDirectory[str]:
    directory = TemporaryDirectory(prefix="store-")
    connect(f"sqlite:///{directory.name}/mlflow.db")
    return directory


def command(name: str, *arguments: str | Path, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """Runs a command of the environment that the tests run in."""
    return subprocess.run(
        [BIN / name, *map(str, arguments)],
        cwd=cwd,
        env=command_environment(),
        capture_output=True,
        text=True,
        timeout=500,
    )


def start_orchestrator(*arguments: str, cwd: Path) -> subprocess.Popen[str]:
    """Our command, under way; its stdout and stderr come as one."""
    has_store(cwd)
    return subprocess.Popen(
        [BIN / "orchestrator", *arguments],
        cwd=cwd,
        env=command_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def stop(process: subprocess.Popen[str], how: signal.Signals) -> str:
    """Sends the signal and waits for the end; returns what was printed."""
    process.send_signal(how)
    output, _ = process.communicate(timeout=180)
    return output


def wait_for_load(process: subprocess.Popen[str]) -> None:
    """Until a load client of our command is at work."""
    deadline = time.monotonic() + 180
    while not load_clients():
        assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() < deadline, "no load within 180 s"
        time.sleep(0.2)
    time.sleep(1)


def load_clients() -> list[int]:
    """Process ids of the load clients on this machine."""
    return [process.pid for process in psutil.process_iter(["name"]) if "LoadClient" in process.info["name"]]


def run_states(experiment: str, directory: Path) -> list[str]:
    """States of the MLflow runs of an experiment in the store of `directory`."""
    store = f"sqlite:///{directory / 'mlruns' / 'mlflow.db'}"
    client = mlflow.MlflowClient(store, store)
    runs = client.search_runs([client.get_experiment_by_name(experiment).experiment_id])
    return [run.info.status for run in runs]


def command_environment() -> dict[str, str]:
    """A user's environment, with the checkout importable (for the applications of the tests).

    Without Ray's token: `ray.init` makes one, `serve deploy` and test clusters of several nodes do not find it.
    """
    ours = {name: value for name, value in os.environ.items() if name != "OMP_NUM_THREADS"}
    return {**ours, "PYTHONPATH": str(ROOT), "RAY_AUTH_MODE": "disabled", "COLUMNS": "200"}


def first_answer(url: str, timeout_s: float) -> bytes:
    """The body of the first 2xx answer; asks again while the server is being started."""
    deadline = time.monotonic() + timeout_s
    while True:
        try:
            with urllib.request.urlopen(url, timeout=5) as response:
                return response.read()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
