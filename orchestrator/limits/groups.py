"""The control groups (cgroups) of replicas: made, entered, read, and removed; versions 1 and 2.

Each replica's process has a group of its own below `PARENT`, which lies below the group of whoever makes it: a limit of
the container or the service around stays in force. Source: the kernel's admin-guide/cgroup-v1 and cgroup-v2.rst.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

PARENT = "ray-serve-orchestrator"
PERIOD_US = 100_000
"""In which a group may use its share of CPU time, before it waits for the next one: the kernel's and Docker's own."""

SMALLEST_QUOTA_US = 1_000
MIB = 2**20
_CONTROLLERS = ("cpu", "memory")


class GroupError(Exception):
    """Control groups cannot be made or written here; the message says which file, and why."""


@dataclass(frozen=True)
class Limits:
    """`cpu` in cores, `memory_mb` in MiB; None is no limit."""

    cpu: float | None = None
    memory_mb: float | None = None


@dataclass(frozen=True)
class Usage:
    """What the processes of a group, or of several together, have met so far.

    `cpu_s` is CPU time, `throttled_s` time in which there was work and no CPU time left for it, `memory_mb` the most
    memory at a time, `killed` processes that were ended because there was none left.
    """

    cpu_s: float = 0.0
    throttled_s: float = 0.0
    memory_mb: float = 0.0
    killed: int = 0


class Groups:
    """The groups of this machine; `root` and `own` (of `/proc/self/cgroup`) are others in tests."""

    def __init__(self, root: Path = Path("/sys/fs/cgroup"), own: Path = Path("/proc/self/cgroup")) -> None:
        self._unified = (root / "cgroup.controllers").exists()
        self._bases = _bases(root, own, self._unified)

    def problem(self) -> str | None:
        """Why no limits can be set here, or None: a group is made, limited and removed to find out."""
        name = f"check-{os.getpid()}"
        try:
            self.make(name, Limits(1.0, 1024.0))
        except GroupError as error:
            return str(error)
        finally:
            self.remove(name)
        return None

    def make(self, name: str, limits: Limits) -> None:
        """A new group with these limits; GroupError if that cannot be."""
        if self._unified:
            self._delegate()
        for directory in self._directories(name):
            _make(directory)
        for path, value in self._settings(name, limits).items():
            _write(path, value)

    def limit(self, prefix: str, limits: Limits) -> None:
        """New limits for the groups with the prefix; GroupError if that cannot be."""
        for name in self.names(prefix):
            for path, value in self._settings(name, limits).items():
                _write(path, value)

    def enter(self, name: str) -> None:
        """This process, and all that it starts, belong to the group from now on."""
        for directory in self._directories(name):
            _write(directory / "cgroup.procs", str(os.getpid()))

    def names(self, prefix: str = "") -> list[str]:
        """The groups that there are, those with the prefix."""
        base = self._bases["cpu"] / PARENT
        return sorted(path.name for path in base.glob(f"{prefix}*") if path.is_dir()) if base.is_dir() else []

    def usage(self, prefix: str) -> Usage:
        """Of all groups with the prefix together."""
        total = Usage()
        for name in self.names(prefix):
            one = self._usage(name)
            total = Usage(
                total.cpu_s + one.cpu_s,
                total.throttled_s + one.throttled_s,
                max(total.memory_mb, one.memory_mb),
                total.killed + one.killed,
            )
        return total

    def remove(self, prefix: str) -> None:
        """The groups with the prefix that nobody is in any more."""
        for name in self.names(prefix):
            for directory in self._directories(name):
                with contextlib.suppress(OSError):  # somebody is still in it, or it has just gone
                    directory.rmdir()

    def _directories(self, name: str) -> list[Path]:
        return list(dict.fromkeys(base / PARENT / name for base in self._bases.values()))

    def _delegate(self) -> None:
        """In version 2 a group hands each controller on to those below it."""
        base = self._bases["cpu"]
        _make(base / PARENT)
        for directory in (base, base / PARENT):
            handed = (directory / "cgroup.subtree_control").read_text().split()
            for controller in _CONTROLLERS:
                if controller not in handed:
                    _write(directory / "cgroup.subtree_control", f"+{controller}")

    def _settings(self, name: str, limits: Limits) -> Mapping[Path, str]:
        cpu, memory = (self._bases[controller] / PARENT / name for controller in _CONTROLLERS)
        settings = {}
        if limits.cpu is not None:
            quota = max(SMALLEST_QUOTA_US, round(limits.cpu * PERIOD_US))
            if self._unified:
                settings[cpu / "cpu.max"] = f"{quota} {PERIOD_US}"
            else:
                settings[cpu / "cpu.cfs_period_us"] = str(PERIOD_US)
                settings[cpu / "cpu.cfs_quota_us"] = str(quota)
        if limits.memory_mb is not None:
            file = "memory.max" if self._unified else "memory.limit_in_bytes"
            settings[memory / file] = str(round(limits.memory_mb * MIB))
        return settings

    def _usage(self, name: str) -> Usage:
        cpu, memory = (self._bases[controller] / PARENT / name for controller in _CONTROLLERS)
        stat = _pairs(cpu / "cpu.stat")
        if self._unified:
            found = Usage(stat.get("usage_usec", 0) / 1e6, stat.get("throttled_usec", 0) / 1e6)
            most, kills = memory / "memory.peak", _pairs(memory / "memory.events")
        else:
            spent = self._bases["cpuacct"] / PARENT / name / "cpuacct.usage"
            found = Usage(_number(spent) / 1e9, stat.get("throttled_time", 0) / 1e9)
            most, kills = memory / "memory.max_usage_in_bytes", _pairs(memory / "memory.oom_control")
        return replace(found, memory_mb=_number(most) / MIB, killed=int(kills.get("oom_kill", 0)))


def _bases(root: Path, own: Path, unified: bool) -> dict[str, Path]:
    """The directory of this process's own group, by controller."""
    if unified:
        base = _within(root, next((path for names, path in _memberships(own) if not names), "/"))
        return dict.fromkeys(_CONTROLLERS, base)
    found = {name: path for names, path in _memberships(own) for name in names}
    return {name: _within(root / name, found.get(name, "/")) for name in (*_CONTROLLERS, "cpuacct")}


def _memberships(own: Path) -> Iterator[tuple[list[str], str]]:
    """(controllers, path) of each line `4:memory:/a/b`; no controllers in version 2."""
    with contextlib.suppress(OSError):
        for line in own.read_text().splitlines():
            _, names, path = line.split(":", 2)
            yield [name for name in names.split(",") if name], path


def _within(mount: Path, path: str) -> Path:
    """The group's directory; the mount itself where the path is one of the host, which a container does not see."""
    inner = mount / path.strip("/")
    return inner if inner.is_dir() else mount


def _make(directory: Path) -> None:
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise GroupError(f"cannot make the control group {directory}: {error.strerror}") from error


def _write(path: Path, value: str) -> None:
    try:
        path.write_text(value)
    except OSError as error:
        raise GroupError(f"cannot write {value!r} to {path}: {error.strerror}") from error


def _pairs(path: Path) -> dict[str, float]:
    """Lines of a name and a number."""
    with contextlib.suppress(OSError, ValueError):
        return {name: float(value) for name, value in (line.split() for line in path.read_text().splitlines())}
    return {}


def _number(path: Path) -> float:
    with contextlib.suppress(OSError, ValueError):
        return float(path.read_text())
    return 0.0
