"""What is used up: the proxy, the replicas, the model."""

from __future__ import annotations

from orchestrator.diagnosis.facts import Facts
from orchestrator.diagnosis.words import (
    DOMINANT,
    IDLE,
    NEARLY_FULL,
    NOTICEABLE,
    Finding,
    advice,
    does,
    if_known,
    of_the_time,
    replicas,
)
from orchestrator.serve_config.settings import MAX_BATCH_SIZE, NUM_REPLICAS

CEILING_SHARE = 0.95
"""Of the null application's throughput; as in `measure.validity`."""

DATA_PLANE = "cluster.data_plane"

_PARTS = {
    "send_lag": "the client's own lateness",
    "network": "network, proxy and router",
    "backlog": "waiting for the model",
    "batch_wait": "waiting for a batch to fill",
    "compute": "the model",
}
_UNKNOWN = "server_and_network"


def ceiling(f: Facts) -> Finding:
    """An application that does nothing is hardly faster."""
    if not (f.ceiling_rps > 0 and f.throughput_rps >= CEILING_SHARE * f.ceiling_rps):
        return None
    return _outside(
        f"the client or the proxy is the limit: {f.throughput_rps:,.0f} requests/s are "
        f"{f.throughput_rps / f.ceiling_rps:.0%} of what an application that does nothing reaches",
        f,
    )


def proxy(f: Facts) -> Finding:
    """The time passes before the replicas, and the proxy has no CPU left."""
    if f.data_plane == "haproxy":  # several threads, which are at their limit when the machine is, by their doing
        at_limit = f.machine_busy_share >= NEARLY_FULL and f.proxy_cpu_cores > f.replica_cpu_cores
    else:  # one event loop
        at_limit = f.proxy_cpu_cores >= NEARLY_FULL
    if not (at_limit and f.share("network") >= DOMINANT):
        return None
    return _outside(
        f"the proxy is the limit: it uses {f.proxy_cpu_cores:.2g} cores, and network, proxy and router take "
        f"{of_the_time(f, 'network')}",
        f,
    )


def replica_loop(f: Facts) -> Finding:
    """The time passes before the model, and the replicas have no CPU left: one event loop each."""
    if not (f.replica_cpu_cores >= NEARLY_FULL * f.settings.replicas and f.share("network") >= DOMINANT):
        return None
    sentence = (
        f"the handling of requests keeps the replicas busy: {replicas(f)} {does(f, 'use')} {f.replica_cpu_cores:.2g} "
        f"cores, but the model takes only {of_the_time(f, 'compute')}"
    )
    if f.machine_busy_share < IDLE:
        return advice(sentence, "raise", f.settings.knob(NUM_REPLICAS))
    return sentence, None


def full_batches(f: Facts) -> Finding:
    """The model is the limit, and there are more requests than a batch may hold."""
    size = f.settings[MAX_BATCH_SIZE]
    nobody_left = size >= f.concurrency / f.settings.replicas  # to fill a larger batch
    if not (_computes(f) and f.fill >= NEARLY_FULL and f.share("backlog") >= NOTICEABLE) or nobody_left:
        return None
    return advice(
        f"the model is the limit, and its batches are full: {_of_the_model(f)}, in batches "
        f"of {f.batch_size:,.3g} of at most {size:,.0f}",
        "raise",
        f.settings.knob(MAX_BATCH_SIZE),
    )


def spare_cores(f: Facts) -> Finding:
    """The model is the limit, and the machine is not."""
    if not (_computes(f) and f.share("backlog") >= NOTICEABLE and f.machine_busy_share < IDLE):
        return None
    return advice(
        f"the model is the limit, while cores are idle: {_of_the_model(f)}, and the machine is "
        f"{f.machine_busy_share:.0%} busy",
        "raise",
        f.settings.knob(NUM_REPLICAS),
    )


def compute(f: Facts) -> Finding:
    """The model is the limit, and no setting gives it more to compute with."""
    if not _computes(f):
        return None
    used = if_known("; the replicas use {:.2g} cores", f.replica_cpu_cores)
    used += if_known("; the GPUs are {:.0%} busy", f.gpu_busy_share)
    return (
        f"the model is the limit: {_of_the_model(f)}{used}; "
        "what helps is a smaller or quantised model, or more hardware",
        None,
    )


def other_deployments(f: Facts) -> Finding:
    """The time passes in the application, though not in the model: in what its other deployments do or wait for."""
    if not (f.others and f.share("backlog") >= DOMINANT):
        return None
    sentence = (
        f"the deployments beside the model are the limit, or the calls between them: {of_the_time(f, 'backlog')} pass "
        f"there, and {of_the_time(f, 'compute')} in the model"
        f"{if_known('; the replicas use {:.2g} cores', f.replica_cpu_cores)}"
    )
    if f.machine_busy_share < IDLE:
        return advice(sentence, "raise", f.others[0].knob(NUM_REPLICAS))
    return sentence, None


def machine(f: Facts) -> Finding:
    """Requests wait for a core, wherever they are."""
    if not (f.machine_busy_share >= NEARLY_FULL and f.share("network") >= DOMINANT):
        return None
    used = if_known("the replicas use {:.2g}", f.replica_cpu_cores) + if_known(", the proxy {:.2g}", f.proxy_cpu_cores)
    return (
        f"the machine is the limit: it is {f.machine_busy_share:.0%} busy{if_known(' with {:g} cores', f.cores)} "
        f"({used or 'by whom is not known'}), and requests wait for a core on their way; what helps is more cores, or "
        "load clients elsewhere (load.placement: other_node)",
        None,
    )


def network(f: Facts) -> Finding:
    """The time passes before the replicas, for a reason that is not seen."""
    if not f.share("network") >= DOMINANT:
        return None
    used = if_known("; the proxy uses {:.2g} cores", f.proxy_cpu_cores)
    return _outside(f"network, proxy and router take most of the time: {of_the_time(f, 'network')}{used}", f)


def largest_part(f: Facts) -> Finding:
    """The parts are known, and none dominates."""
    part = max(f.shares, key=f.shares.__getitem__, default=_UNKNOWN)
    if part == _UNKNOWN:
        return None
    return f"nothing stands out: the largest part of the response time is {_PARTS[part]}, {of_the_time(f, part)}", None


def unknown(_: Facts) -> Finding:
    """The server does not tell."""
    return "the application does not tell where its time goes; let it send Server-Timing (docs/application.md)", None


def _computes(f: Facts) -> bool:
    return f.share(*f.of_the_model) >= DOMINANT


def _of_the_model(f: Facts) -> str:
    what = "it takes" if f.others else "it and the wait for it take"
    return f"{what} {of_the_time(f, *f.of_the_model)}"


def _outside(sentence: str, f: Facts) -> Finding:
    """What is outside the replicas has one knob, and that only with the slower of the data planes."""
    if f.data_plane == "proxy":
        return f"{sentence}; set {DATA_PLANE} to haproxy", DATA_PLANE
    return sentence, None
