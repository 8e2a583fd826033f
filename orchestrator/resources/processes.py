"""Which processes take part in a measurement, and what they have used so far."""

from __future__ import annotations

import ipaddress
import math
import os
import socket
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import psutil

_REPLICA = "ray::ServeReplica:"
_PROXIES = ("ray::ProxyActor", "ray::HAProxyManager")
_CLIENT = "ray::LoadClient"
_JOB = "ray::JobProcess"
_RAY_FILES = ("/ray/core/", "/ray/_private/", "/ray/dashboard/", "/ray/autoscaler/")
_FORWARDERS = {"docker-proxy", "rootlessport"}  # who listens for a server in a container, which remains unseen


class Running(NamedTuple):
    """A process: its number, its executable's name, its command line (which Ray sets to a title), its parent."""

    pid: int
    name: str
    title: str
    parent: int = 0
    yields: bool = False  # is of the scheduling class "idle", which runs when nobody else wants to (sched(7))


@dataclass(frozen=True)
class Groups:
    """Which group of `GROUPS` a process belongs to: the first whose predicate holds, else it is one of the others.

    `complete`: every process on this machine that takes part in the measurement is in a group.
    """

    belongs: Mapping[str, Callable[[Running], bool]]
    complete: bool = True

    def of(self, process: Running) -> str | None:
        """Its group; None for one that has no part in the measurement."""
        return next((group for group, belongs in self.belongs.items() if belongs(process)), None)


IDLE = "idle"
"""Whoever gives way to all others, as a loop that keeps a processor awake does: he disturbs nobody."""

GROUPS = ("client", "replica", "proxy", "ray", IDLE)
"""Load client; the server under test; what stands in front of it; the rest of Ray and the orchestrator."""


def serve_groups(application: str | None, servers: Iterable[int] = ()) -> Groups:
    """Groups of a Serve application (None: of all applications), with servers added by their numbers.

    Replicas of other applications are others: they have no part in the measurement, but may disturb it.
    """
    replica = f"{_REPLICA}{application}:" if application else _REPLICA
    server_pids = frozenset(servers)
    return Groups(
        {
            IDLE: lambda p: p.yields,
            "client": lambda p: p.title.startswith(_CLIENT),
            "proxy": lambda p: p.name == "haproxy" or p.title.startswith(_PROXIES),
            "replica": lambda p: p.pid in server_pids or p.title.startswith(replica),
            "ray": _is_ray,
        }
    )


def job_groups(pid: int) -> Groups:
    """Groups of a job whose process is `pid`: with those that it starts it takes the place of the server."""
    return Groups(
        {
            "replica": lambda p: pid in (p.pid, p.parent) or p.title.startswith(_JOB),
            IDLE: lambda p: p.yields,
            "ray": _is_ray,
        }
    )


def endpoint_groups(host: str, port: int) -> Groups:
    """Groups for an endpoint that is already running, loaded by this process and those that it starts.

    The server is whoever listens on the port, with its children, if that is this machine. Not complete when nobody
    can be seen there: processes of other users hide their sockets, and those in containers themselves.
    """
    here = _is_here(host)
    servers = _listeners(port) if here else []
    groups = serve_groups(None, servers=[server.pid for server in servers])
    own = os.getpid()
    belongs = {**groups.belongs, "client": lambda p: own in (p.pid, p.parent)}
    seen = bool(servers) and not any(server.name() in _FORWARDERS for server in servers)
    return Groups(belongs, complete=seen or not here)


def _is_ray(process: Running) -> bool:
    title = process.title
    if title.startswith(("ray::", "ray-dashboard-")):
        return not title.startswith(_REPLICA)
    commands = [os.path.basename(word) for word in title.split()[:3]]  # noqa: PTH119 (a word, seldom a path)
    return any(part in title for part in _RAY_FILES) or "orchestrator" in commands


def _is_here(host: str) -> bool:
    try:
        addresses = {entry[4][0] for entry in socket.getaddrinfo(host, None)}
    except OSError:
        return False
    ours = {address.address for interface in psutil.net_if_addrs().values() for address in interface}
    return any(ipaddress.ip_address(str(address)).is_loopback for address in addresses) or bool(addresses & ours)


def _listeners(port: int) -> list[psutil.Process]:
    """Whoever listens on the port, with all children; of processes that share a socket psutil tells the last only."""
    found: dict[int, psutil.Process] = {}
    try:
        for connection in psutil.net_connections("tcp"):
            if connection.pid and _listens(connection, port):
                server = psutil.Process(connection.pid)
                while (parent := server.parent()) and any(_listens(c, port) for c in parent.net_connections("tcp")):
                    server = parent
                found.update({process.pid: process for process in (server, *server.children(recursive=True))})
    except psutil.Error:
        pass  # not allowed to look, or it has just ended
    return list(found.values())


def _listens(connection: Any, port: int) -> bool:
    return connection.status == psutil.CONN_LISTEN and bool(connection.laddr.port == port)


class Members:
    """The processes of each group, and the sums of what they use.

    Whoever cannot be read, for he has ended or is not ours to look at, is left out. What the children of a server have
    used, and nobody has seen for they lived too shortly, is known when it has awaited their end.
    """

    def __init__(self, groups: Groups) -> None:
        self._groups = groups
        self._strangers: set[int] = set()
        self._members: dict[int, _Member] = {}
        self._cpu_s = dict.fromkeys(GROUPS, math.nan)
        self._seen_s: dict[int, float] = {}  # by parent: CPU time of children that have ended, as far as it was counted

    def look(self) -> None:
        """Look for processes that are new, or that may have changed: an idle worker of Ray becomes a replica."""
        first = not self._members and not self._strangers
        present = set(psutil.pids())
        self._strangers &= present
        for pid in self._members.keys() - present:
            self._end(pid)
        undecided = [pid for pid, member in self._members.items() if member.group == "ray"]
        for pid in [*undecided, *(present - self._members.keys() - self._strangers)]:
            self._classify(pid, first)

    def read(self) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """(CPU seconds since the first look, resident bytes now) by group of `GROUPS`; NaN without a process."""
        memory = dict.fromkeys(GROUPS, math.nan)
        for pid, member in list(self._members.items()):
            try:
                with member.process.oneshot():
                    times, resident = member.process.cpu_times(), member.process.memory_info().rss
            except psutil.Error:
                self._end(pid)
                continue
            used = times.user + times.system
            new = max(0.0, used - member.read_s)  # a number that is given again begins anew
            member.read_s = used
            member.counted_s += new
            if member.group == "replica":
                awaited_s = _of_children(times)
                new += awaited_s - member.awaited_s - self._seen_s.pop(pid, 0.0)
                member.awaited_s = awaited_s
            group = member.group
            self._cpu_s[group] = new + (0.0 if math.isnan(self._cpu_s[group]) else self._cpu_s[group])
            memory[group] = resident + (0.0 if math.isnan(memory[group]) else memory[group])
        return tuple(self._cpu_s.values()), tuple(memory.values())

    def _end(self, pid: int) -> None:
        member = self._members.pop(pid)
        if member.parent in self._members:
            self._seen_s[member.parent] = self._seen_s.get(member.parent, 0.0) + member.counted_s

    def _classify(self, pid: int, first: bool) -> None:
        """`first`: it may be older than the sampler, so that only what it uses from now on counts."""
        try:
            process = self._members[pid].process if pid in self._members else psutil.Process(pid)
            title = " ".join(process.cmdline())
            group = self._groups.of(Running(pid, process.name(), title, process.ppid(), _yields(pid)))
            if group is None:
                self._members.pop(pid, None)
                self._strangers.add(pid)
            elif pid in self._members:
                self._members[pid].group = group
            else:
                times = process.cpu_times()
                used_s, awaited_s = (times.user + times.system, _of_children(times)) if first else (0.0, 0.0)
                self._members[pid] = _Member(process, group, process.ppid(), used_s, awaited_s)
        except psutil.Error:
            self._members.pop(pid, None)


def _of_children(times: Any) -> float:
    """CPU time of a process's children that have ended; 0 where the system does not say."""
    return float(getattr(times, "children_user", 0.0) + getattr(times, "children_system", 0.0))


def _yields(pid: int) -> bool:
    try:
        return os.sched_getscheduler(pid) == os.SCHED_IDLE
    except (AttributeError, OSError):  # not Linux; it has just ended
        return False


@dataclass
class _Member:
    process: psutil.Process
    group: str
    parent: int
    read_s: float  # its CPU time when it was last read
    awaited_s: float  # likewise that of its children that had ended
    counted_s: float = 0.0  # of its own
