"""A place and a load with limits, on fakes of both and of the control groups."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field

import pytest

from orchestrator.backend.limited import LimitedLoad, LimitedServing, Watch
from orchestrator.backend.limited import _swept as swept
from orchestrator.errors import DeploymentFailedError, InfeasibleError, ReplicaDiedError
from orchestrator.limits import Clocks, GroupError, Usage
from orchestrator.serve_config import with_limits
from tests.fakes.nvml import NO_PERMISSION, FakeNvml
from tests.fakes.trials import observation, samples

LIMITED = with_limits(
    {"deployments": [{"name": "Model", "limits": {"cpu": 0.5, "memory_mb": 700}}]}, "python", "slot-0-", later=True
)
NOTHING = Usage()


def clocked(*clocks):
    """An application whose deployments ask for these clocks."""
    entries = [{"name": f"D{mhz}", "limits": {"gpu_clock_mhz": mhz}} for mhz in clocks]
    return with_limits({"deployments": entries}, "python", "slot-0-", later=True)


FREE = {"deployments": [{"name": "Model"}]}


@dataclass
class FakeGroups:
    trouble: str | None = None
    refuses: bool = False
    now: Usage = NOTHING
    limited: dict = field(default_factory=dict)

    def problem(self):
        return self.trouble

    def remove(self, prefix):
        """Nothing is left."""

    def usage(self, prefix):
        return self.now

    def limit(self, prefix, limits):
        if self.refuses:
            raise GroupError("cannot write '50000' to cpu.max: Permission denied")
        self.limited[prefix] = limits.cpu


class FakeServing:
    slot, node_id = "slot-0", None

    def __init__(self, groups, kills=0):
        self._groups, self._kills = groups, kills

    def deploy(self, application, timeout_s):
        if self._kills:
            self._groups.now = Usage(killed=self._kills)
            raise InfeasibleError("not ready within 60 s")
        return "http://here"


class FakeLoad:
    def __init__(self, groups, kills=0):
        self._groups, self._kills = groups, kills

    def run(self, url, application, assignment, ceiling_rps, on_phase):
        on_phase("warm-up")
        self._groups.now = Usage(cpu_s=5.0)
        on_phase("measure")
        self._groups.now = Usage(cpu_s=5.0, memory_mb=300, killed=self._kills)
        on_phase("drain")
        return observation(samples(100, 3.0), (1.0, 3.0))


def deployed(groups, application=LIMITED, kills=0):
    watch = Watch("slot-0", groups)
    return LimitedServing(FakeServing(groups, kills), watch).deploy(application, 60), watch


def loaded(groups, application, kills=0):
    phases = []
    _, watch = deployed(groups, application)
    seen = LimitedLoad(FakeLoad(groups, kills), watch).run("", application, None, 0.0, phases.append)
    assert phases == ["warm-up", "measure", "drain"]
    return seen.machine


def test_the_cpu_is_limited_when_the_application_is_ready():
    groups = FakeGroups()
    url, _ = deployed(groups)
    assert (url, groups.limited) == ("http://here", {"slot-0-Model-": 0.5})


@pytest.mark.parametrize(
    ("groups", "words"),
    [
        (FakeGroups(trouble="read-only file system"), "cannot be set on this machine: read-only file system"),
        (FakeGroups(refuses=True), "cannot be set on this machine: cannot write"),
    ],
    ids=["before", "when it is ready"],
)
def test_where_limits_cannot_be_set_a_configuration_is_infeasible(groups, words):
    with pytest.raises(InfeasibleError, match=words):
        deployed(groups)


def test_what_has_no_limits_needs_no_control_groups():
    groups = FakeGroups(trouble="read-only file system", refuses=True)
    assert deployed(groups, FREE)[0] == "http://here"
    assert not [name for name in loaded(groups, FREE) if name.startswith("limited_")]


@pytest.mark.parametrize(("kills", "words"), [(1, "1 of its processes was killed"), (3, "3 of its processes were")])
def test_who_is_killed_for_want_of_memory_is_infeasible_whenever_that_happens(kills, words):
    with pytest.raises(InfeasibleError, match=words):
        deployed(FakeGroups(), kills=kills)
    with pytest.raises(InfeasibleError, match=words):
        loaded(FakeGroups(), LIMITED, kills=kills)


class Dying:
    """A place where a replica does not start, for this reason, while the kernel kills so many processes."""

    slot, node_id = "slot-0", None

    def __init__(self, error, kills):
        self.error, self.kills, self.killed = error, kills, 7

    def deploy(self, application, timeout_s):
        self.killed += self.kills
        raise self.error


@pytest.mark.parametrize(
    ("error", "kills", "expected", "words"),
    [
        pytest.param(ReplicaDiedError("gone"), 1, InfeasibleError, "the kernel killed a replica", id="killed"),
        pytest.param(ReplicaDiedError("gone"), 0, DeploymentFailedError, "gone", id="crashed by itself"),
        pytest.param(DeploymentFailedError("raised"), 1, DeploymentFailedError, "raised", id="somebody else was"),
        pytest.param(InfeasibleError("late"), 1, InfeasibleError, "late", id="infeasible anyway"),
    ],
)
def test_a_replica_that_died_without_a_word_was_killed_if_the_kernel_counts_a_kill(error, kills, expected, words):
    place = Dying(error, kills)
    with pytest.raises(expected, match=words):
        LimitedServing(place, Watch("slot-0", FakeGroups(), kills=lambda: place.killed)).deploy(FREE, 60)


def test_what_was_used_counts_from_the_beginning_of_the_window():
    machine = loaded(FakeGroups(), LIMITED)
    assert machine["limited_cpu_cores"] == 0, "five seconds of CPU time were the warm-up's"
    assert machine["limited_memory_mib"] == 300


NOWHERE = FakeGroups(trouble="read-only file system", refuses=True)


def test_a_clock_is_set_for_a_trial_read_under_load_and_given_back_by_the_next_one():
    nvml, phases = FakeNvml(), []
    watch = Watch("slot-0", NOWHERE, Clocks(nvml))
    place, load = LimitedServing(FakeServing(NOWHERE), watch), LimitedLoad(FakeLoad(NOWHERE), watch)
    place.deploy(clocked(900), 60)
    assert nvml.clocks == [900, 900]
    seen = load.run("", {}, None, 0.0, phases.append)
    assert {name: value for name, value in seen.machine.items() if name.startswith("limited_")} == {
        "limited_gpu_clock_mhz": 900
    }
    place.deploy(FREE, 60)
    assert nvml.clocks == [None, None]
    seen = load.run("", {}, None, 0.0, phases.append)
    assert "limited_gpu_clock_mhz" not in seen.machine


def test_the_clock_is_given_back_at_the_end_and_what_was_never_set_is_left_alone():
    nvml = FakeNvml()
    watch = Watch("slot-0", NOWHERE, Clocks(nvml))
    watch.begin(clocked(900))
    watch.close()
    assert nvml.clocks == [None, None]
    nvml.clocks = [1100, 1100]  # somebody else's
    watch.begin(FREE)
    watch.close()
    assert nvml.clocks == [1100, 1100]


@pytest.mark.parametrize(
    ("nvml", "clocks", "words"),
    [
        (FakeNvml(gpus=0), [900], r"\(limits.gpu_clock_mhz\) cannot be set on this machine: it has no NVIDIA GPU"),
        (FakeNvml(refused={0: NO_PERMISSION}), [900], "Insufficient Permissions .*; see docs/limits.md"),
        (FakeNvml(), [900, 1200], "is that of the whole node, and 900 and 1200 MHz are asked for"),
    ],
    ids=["no GPU", "no permission", "two clocks"],
)
def test_a_clock_that_cannot_be_set_is_infeasible(nvml, clocks, words):
    watch = Watch("slot-0", NOWHERE, Clocks(nvml))
    with pytest.raises(InfeasibleError, match=words):
        LimitedServing(FakeServing(NOWHERE), watch).deploy(clocked(*clocks), 60)
    assert not any(nvml.clocks)


def test_the_sweep_of_a_node_gives_the_clocks_back_where_a_study_set_them(monkeypatch):
    nvml = FakeNvml()
    nvml.clocks = [900, 900]
    monkeypatch.setitem(sys.modules, "pynvml", nvml)
    swept([], clocks=False)
    assert nvml.clocks == [900, 900]
    swept([], clocks=True)
    assert nvml.clocks == [None, None]
