"""Control groups as the kernel shows them, on a file system made of ordinary files."""

import os
from pathlib import Path

import pytest

from orchestrator.limits import GroupError, Groups, Limits, Usage
from orchestrator.limits.groups import PARENT


@pytest.fixture
def version_1(tmp_path):
    """Three hierarchies; this process is in a group of its own in that of memory."""
    for controller in ("cpu", "cpuacct", "memory/pod"):
        (tmp_path / "cgroup" / controller).mkdir(parents=True)
    own = tmp_path / "own"
    own.write_text("5:memory:/pod\n4:cpu,cpuacct:/elsewhere\n0::/\n")
    return tmp_path / "cgroup", own


@pytest.fixture
def version_2(tmp_path):
    root, own = tmp_path / "cgroup", tmp_path / "own"
    for directory in (root / "pod", root / "pod" / PARENT):
        directory.mkdir(parents=True)
        (directory / "cgroup.subtree_control").write_text("memory\n")
    (root / "cgroup.controllers").write_text("cpu memory pids\n")
    own.write_text("0::/pod\n")
    return root, own


def text(*parts):
    return Path(*parts).read_text()


def test_version_1_limits_each_controller_in_its_own_hierarchy(version_1):
    root, own = version_1
    Groups(root, own).make("slot-Model-7", Limits(cpu=0.5, memory_mb=700))
    cpu, memory = root / "cpu" / PARENT / "slot-Model-7", root / "memory" / "pod" / PARENT / "slot-Model-7"
    assert int(text(cpu, "cpu.cfs_quota_us")) / int(text(cpu, "cpu.cfs_period_us")) == 0.5
    assert int(text(memory, "memory.limit_in_bytes")) == 700 * 2**20


def test_version_2_hands_the_controllers_down_and_limits_in_one_place(version_2):
    root, own = version_2
    Groups(root, own).make("slot-Model-7", Limits(cpu=0.25, memory_mb=64))
    group = root / "pod" / PARENT / "slot-Model-7"
    assert text(group, "cpu.max") == "25000 100000"
    assert int(text(group, "memory.max")) == 64 * 2**20
    assert text(root, "pod", "cgroup.subtree_control") == "+cpu", "memory was handed down already"


@pytest.mark.parametrize("version", ["version_1", "version_2"])
def test_what_is_not_limited_is_not_written(version, request):
    root, own = request.getfixturevalue(version)
    Groups(root, own).make("a", Limits(cpu=2))
    assert not list(root.rglob("memory.*max*")) + list(root.rglob("memory.limit*"))


@pytest.mark.parametrize("version", ["version_1", "version_2"])
def test_a_process_enters_every_hierarchy(version, request):
    root, own = request.getfixturevalue(version)
    groups = Groups(root, own)
    groups.make("a", Limits(cpu=1))
    groups.enter("a")
    entered = list(root.rglob("cgroup.procs"))
    assert len(entered) == (3 if version == "version_1" else 1)
    assert {path.read_text() for path in entered} == {str(os.getpid())}


def test_usage_is_of_all_groups_with_the_prefix(version_1):
    root, own = version_1
    groups = Groups(root, own)
    for name, spent, throttled, most, killed in (
        ("slot-Model-1", 2_500_000_000, 500_000_000, 300, 0),
        ("slot-Model-2", 500_000_000, 0, 200, 2),
        ("other-Model-3", 9_000_000_000, 0, 900, 1),
    ):
        groups.make(name, Limits(cpu=1, memory_mb=400))
        (root / "cpuacct" / PARENT / name / "cpuacct.usage").write_text(f"{spent}\n")
        (root / "cpu" / PARENT / name / "cpu.stat").write_text(f"nr_periods 9\nthrottled_time {throttled}\n")
        memory = root / "memory" / "pod" / PARENT / name
        (memory / "memory.max_usage_in_bytes").write_text(f"{most * 2**20}\n")
        (memory / "memory.oom_control").write_text(f"oom_kill_disable 0\nunder_oom 0\noom_kill {killed}\n")
    assert groups.usage("slot-") == Usage(3.0, 0.5, 300, 2)


def test_usage_of_version_2(version_2):
    root, own = version_2
    groups = Groups(root, own)
    groups.make("slot-Model-1", Limits(cpu=1))
    group = root / "pod" / PARENT / "slot-Model-1"
    (group / "cpu.stat").write_text("usage_usec 1500000\nnr_throttled 3\nthrottled_usec 250000\n")
    (group / "memory.peak").write_text(f"{100 * 2**20}\n")
    (group / "memory.events").write_text("low 0\noom 1\noom_kill 1\n")
    assert groups.usage("slot-") == Usage(1.5, 0.25, 100, 1)


def test_figures_that_the_kernel_does_not_have_are_zero(version_2):
    groups = Groups(*version_2)
    groups.make("slot-Model-1", Limits())
    assert groups.usage("slot-") == Usage()


def test_only_empty_groups_with_the_prefix_are_removed(version_2):
    groups = Groups(*version_2)
    for name in ("slot-1", "slot-2", "other-1"):
        groups.make(name, Limits())
    groups.enter("slot-2")  # an ordinary file in it, which keeps the directory as a process keeps a group
    groups.remove("slot-")
    assert groups.names() == ["other-1", "slot-2"]


def test_a_machine_that_allows_limits_has_no_problem(version_1):
    root, own = version_1
    groups = Groups(root, own)
    assert groups.problem() is None


def test_the_problem_names_the_file_that_cannot_be_written(version_2, monkeypatch):
    def refuse(self, _):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "write_text", refuse)
    problem = Groups(*version_2).problem()
    assert "cgroup.subtree_control: Permission denied" in problem
    assert "cannot write '+cpu'" in problem


def test_no_control_groups_at_all_are_a_problem(tmp_path):
    (tmp_path / "cpu").write_text("a file, no directory")
    assert "cannot make the control group" in Groups(tmp_path, tmp_path / "none").problem()


def test_a_group_that_cannot_be_made_is_an_error(tmp_path):
    (tmp_path / "cpu").write_text("a file, no directory")
    with pytest.raises(GroupError, match="Not a directory"):
        Groups(tmp_path, tmp_path / "none").make("a", Limits())
