"""Where a study was measured."""

import json
import subprocess
import sys
from datetime import datetime, timezone
from importlib.metadata import version

import pytest

from orchestrator import environment
from orchestrator.environment import (
    allowed_cores,
    cpu_model,
    describe_environment,
    git_state,
    installed,
    kernel_kills,
    memory_mib,
    serve_variables,
)

CPUINFO = "processor\t: 0\nvendor_id\t: AuthenticAMD\nmodel name\t: AMD EPYC 7B13\ncpu MHz\t: 2450\n"


def git(directory, *arguments):
    identity = ["-c", "user.name=me", "-c", "user.email=me@example.org", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", "-C", directory, *identity, *arguments], check=True, capture_output=True)


@pytest.fixture
def repository(tmp_path):
    try:
        git(tmp_path, "init")
    except FileNotFoundError:
        pytest.skip("git is not installed")
    (tmp_path / "file.txt").write_text("one")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-m", "first")
    return tmp_path


def test_the_environment_is_json_and_says_what_was_measured_on_and_with():
    facts = describe_environment("haproxy", {"RAY_SERVE_A": "1"}, datetime(2026, 3, 1, 12, tzinfo=timezone.utc))
    assert json.loads(json.dumps(facts, allow_nan=False)) == facts
    assert facts["data_plane"] == "haproxy"
    assert facts["serve_variables"] == {"RAY_SERVE_A": "1"}
    assert facts["started"] == "2026-03-01T12:00:00+00:00"
    assert facts["host"]
    assert facts["cpu"]
    assert 0 < facts["cores_allowed"] <= facts["cores"]
    assert facts["memory_gib"] > 0
    assert {"orchestrator", "ray", "mlflow", "numpy"} <= set(facts["versions"])


def test_what_is_unknown_is_left_out(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)  # no repository
    monkeypatch.setattr(environment, "_PACKAGES", {"numpy": "numpy", "absent": "no-such-distribution"})
    facts = describe_environment(None)
    assert not {"data_plane", "started", "git", "serve_variables"} & set(facts)
    assert set(facts["versions"]) == {"numpy"}


def test_settings_of_serve_are_listed_but_no_secrets_and_no_others(monkeypatch):
    for name in [name for name in environment.os.environ if name.startswith("RAY_SERVE_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("RAY_SERVE_ENABLE_HA_PROXY", "1")
    monkeypatch.setenv("RAY_SERVE_AUTH_TOKEN", "hush")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hush")
    assert serve_variables() == {"RAY_SERVE_ENABLE_HA_PROXY": "1"}
    assert "hush" not in json.dumps(describe_environment(None, serve_variables()))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(CPUINFO, "AMD EPYC 7B13", id="x86"),
        pytest.param("processor\t: 0\nBogoMIPS\t: 243.75\n", None, id="arm-does-not-say"),
        pytest.param(None, None, id="not-linux"),
    ],
)
def test_the_processor_is_read_from_cpuinfo(tmp_path, text, expected):
    if text is not None:
        (tmp_path / "cpuinfo").write_text(text)
    assert cpu_model(tmp_path / "cpuinfo") == expected


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        pytest.param({}, 4, id="no-cgroup"),
        pytest.param({"cpu.max": "150000 100000\n"}, 1.5, id="v2-quota"),
        pytest.param({"cpu.max": "max 100000\n"}, 4, id="v2-no-limit"),
        pytest.param({"cpu.max": "900000 100000\n"}, 4, id="quota-above-the-affinity"),
        pytest.param({"cpu/cpu.cfs_quota_us": "50000\n", "cpu/cpu.cfs_period_us": "100000\n"}, 0.5, id="v1-quota"),
        pytest.param({"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"}, 4, id="v1-no-limit"),
    ],
)
def test_cores_are_the_lesser_of_affinity_and_quota(tmp_path, monkeypatch, files, expected):
    monkeypatch.setattr(environment.os, "sched_getaffinity", lambda _: set(range(4)), raising=False)
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    assert allowed_cores(tmp_path) == expected


@pytest.mark.parametrize(
    ("text", "kills"),
    [
        pytest.param("nr_free_pages 5\noom_kill 3\noom_kill_other 9\n", 3, id="some"),
        pytest.param("nr_free_pages 5\n", 0, id="a kernel that does not say"),
        pytest.param(None, 0, id="not-linux"),
    ],
)
def test_kills_for_want_of_memory_are_counted_by_the_kernel(tmp_path, text, kills):
    if text is not None:
        (tmp_path / "vmstat").write_text(text)
    assert kernel_kills(tmp_path / "vmstat") == kills


def test_a_clean_checkout_is_its_commit(repository):
    state = git_state(repository)
    assert len(state["commit"]) == 40
    assert state["dirty"] is False


def test_a_changed_file_makes_a_checkout_dirty_and_a_new_one_does_not(repository):
    (repository / "new.txt").write_text("new")
    assert git_state(repository)["dirty"] is False
    (repository / "file.txt").write_text("two")
    assert git_state(repository)["dirty"] is True


def test_outside_a_repository_there_is_no_commit(tmp_path):
    assert git_state(tmp_path) is None


def test_without_git_there_is_no_commit(repository, monkeypatch):
    monkeypatch.setenv("PATH", str(repository / "nowhere"))
    assert git_state(repository) is None


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        pytest.param({}, (1000, 400), id="no cgroup"),
        pytest.param({"memory.max": "max", "memory.current": str(7 << 20)}, (1000, 400), id="no limit, version 2"),
        pytest.param(
            {"memory.max": str(500 << 20), "memory.current": str(70 << 20)}, (500, 70), id="a limit, version 2"
        ),
        pytest.param(
            {"memory/memory.limit_in_bytes": str(500 << 20), "memory/memory.usage_in_bytes": str(70 << 20)},
            (500, 70),
            id="a limit, version 1",
        ),
        pytest.param(
            {"memory/memory.limit_in_bytes": str(2**63 - 4096), "memory/memory.usage_in_bytes": "1"},
            (1000, 400),
            id="no limit, version 1",
        ),
        pytest.param({"memory.max": str(500 << 20)}, (1000, 400), id="what is used cannot be read"),
    ],
)
def test_memory_is_the_machines_or_what_the_cgroup_leaves_of_it(tmp_path, monkeypatch, files, expected):
    class Machine:
        total, available = 1000 << 20, 600 << 20

    monkeypatch.setattr(environment.psutil, "virtual_memory", Machine)
    (tmp_path / "memory").mkdir()
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    assert memory_mib(tmp_path) == expected


def test_what_is_installed_is_told_by_distribution():
    found = installed()
    assert found.releases["numpy"] == version("numpy")
    assert found.python == sys.version_info[:2]


def test_the_driver_of_the_gpus_is_told_where_there_are_some(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert installed().gpu_driver == ""
    tool = tmp_path / "nvidia-smi"
    tool.write_text("#!/bin/sh\necho 550.54.15\necho 550.54.15\n")
    tool.chmod(0o755)
    assert installed().gpu_driver == "550.54.15"
