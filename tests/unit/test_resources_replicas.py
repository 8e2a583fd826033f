"""What each replica takes, by its process."""

from types import SimpleNamespace

import psutil
import pytest

from orchestrator.resources import ReplicaUse, Share, replicas_of, shares
from orchestrator.resources import replicas as module

MIB = 2**20


class Process:
    def __init__(self, pid, title, cpu_s=1.0, memory=0, gone=False):
        self.pid, self.title, self.cpu_s, self.memory, self.gone = pid, title, cpu_s, memory, gone

    def cmdline(self):
        return [self.title]

    def cpu_times(self):
        return SimpleNamespace(user=self.cpu_s, system=0.5)

    def memory_full_info(self):
        if self.gone:
            raise psutil.NoSuchProcess(self.pid)
        return SimpleNamespace(uss=self.memory)


def test_replicas_are_known_by_the_titles_that_ray_gives_them(monkeypatch):
    running = [
        Process(1, "ray::ServeReplica:trial-slot-0:Jpegs", memory=300 * MIB),
        Process(2, "ray::ServeReplica:trial-slot-0:Jpegs.handle_request", cpu_s=4.0, memory=310 * MIB),
        Process(3, "ray::ServeReplica:trial-slot-0:Reader", memory=50 * MIB),
        Process(4, "ray::ServeReplica:trial-slot-01:Jpegs"),
        Process(5, "ray::ServeReplica:trial-slot-0:Jpegs", gone=True),
        Process(6, "ray::ProxyActor"),
        Process(7, ""),
    ]
    monkeypatch.setattr(module.psutil, "process_iter", lambda: iter(running))
    assert replicas_of("trial-slot-0") == {
        1: ReplicaUse("Jpegs", 1.5, 300),
        2: ReplicaUse("Jpegs", 4.5, 310),
        3: ReplicaUse("Reader", 1.5, 50),
    }


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        pytest.param({1: ("A", 1, 100)}, {1: ("A", 3, 120)}, {"A": Share(1, 120, 0.5)}, id="one replica"),
        pytest.param(
            {1: ("A", 1, 100), 2: ("A", 1, 100)},
            {1: ("A", 5, 100), 2: ("A", 1, 130)},
            {"A": Share(2, 130, 0.5)},
            id="the most memory, and cores on average",
        ),
        pytest.param({}, {1: ("A", 2, 100)}, {"A": Share(1, 100, 0.5)}, id="one that is new"),
        pytest.param({1: ("A", 2, 100)}, {}, {}, id="one that has gone"),
        pytest.param(
            {1: ("A", 0, 1), 2: ("B", 0, 2)},
            {1: ("A", 4, 1), 2: ("B", 0, 2)},
            {"A": Share(1, 1, 1.0), "B": Share(1, 2, 0.0)},
            id="two deployments",
        ),
    ],
)
def test_what_was_taken_between_two_looks(before, after, expected):
    looks = [{pid: ReplicaUse(*use) for pid, use in look.items()} for look in (before, after)]
    assert shares(*looks, seconds=4.0) == expected
