"""What the baseline's own figures say to the items that they settle. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from orchestrator.checklist.items import Kind
from orchestrator.checklist.versions import Release
from orchestrator.names import figure

DOMINANT, NOTICEABLE, IDLE = 0.5, 0.1, 0.7
"""As in `orchestrator.diagnosis`: most of a whole; what is worth a look; a machine that has time for more."""

HALF = 0.5
"""Of the work that a distilled model may have left: what small models of language are known for."""

_CORES_OF = {
    "replica_cpu_cores": "replicas",
    "proxy_cpu_cores": "proxy",
    "client_cpu_cores": "client",
    "ray_cpu_cores": "Ray",
}

_AMOUNTS = {
    "replica_memory_mib": ("replicas hold", " MiB"),
    "gpu_memory_mib": ("GPUs hold", " MiB"),
    "disk_mib_s": ("disks", " MiB/s"),
    "network_mib_s": ("network", " MiB/s"),
}

PROFILE = "profile the replica (py-spy) before the model"


@dataclass(frozen=True)
class Finding:
    """A sentence with figures, and what it means for its item."""

    kind: Kind
    sentence: str
    figures: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Facts:
    """What is known of the baseline under its load: `figures` by their names in a trial's metrics, empty if unmeasured.

    `explanation` says what limits it, `why_not` why there are no figures. So many `replicas` have the model. `single`:
    one thread computes a batch, and a request is one of its places, so that the model's CPU time is known; `assumed`:
    the file does not say how many threads there are. `latency`: the objective is one. `driver` is that of the GPUs.
    """

    figures: Mapping[str, float]
    explanation: str = ""
    why_not: str = ""
    replicas: float = 1.0
    single: bool = True
    assumed: bool = False
    latency: bool = False
    data_plane: str | None = None
    releases: Sequence[Release] = ()
    driver: str = ""

    def __getitem__(self, name: str) -> float:
        """NaN for what is not known, so that every comparison with it is false."""
        return self.figures.get(name, math.nan)

    def known(self, *names: str) -> dict[str, float]:
        """Those of the figures that there are."""
        return {name: self.figures[name] for name in names if name in self.figures}

    @property
    def on_gpu(self) -> bool:
        """Whether a GPU has work."""
        return self["gpu_busy_share"] >= NOTICEABLE

    @property
    def model_share(self) -> float:
        """Of the replicas' CPU time, what the model computes; NaN where the two cannot be told apart."""
        if not self.single or self.on_gpu or not self["replica_cpu_cores"] > 0:
            return math.nan
        share = self["batches_at_work"] / self["replica_cpu_cores"]
        return 1.0 if share > 1 else share


def versions(facts: Facts) -> Finding:
    """Of the releases."""
    behind = [one for one in facts.releases if one.is_behind]
    driver = f"; GPU driver {facts.driver}" if facts.driver else ""
    if not facts.releases:
        return Finding(Kind.UNCHECKED, "none of the known packages is installed where the application runs" + driver)
    if behind:
        listed = ", ".join(f"{one.name} {one.installed} (known: {one.known})" for one in behind)
        return Finding(Kind.DECIDE, f"behind the tested set: {listed}; what newer ones bring was not measured{driver}")
    names = ", ".join(f"{one.name} {one.installed}" for one in facts.releases)
    return Finding(Kind.DONE, f"none is behind the tested set: {names}{driver}")


def system(facts: Facts) -> Finding:
    """Of CPU, memory, disks, network and GPUs, and of what limits the configuration."""
    if not facts.figures:
        return _unmeasured(facts)
    parts = []
    if "machine_busy_share" in facts.figures:
        cores = [f"{who} {facts[name]:.2g}" for name, who in _CORES_OF.items() if name in facts.figures]
        by_whom = f" ({', '.join(cores)})" if cores else ""
        parts.append(f"{facts['machine_busy_share']:.0%} of {facts['machine_cores']:g} cores busy{by_whom}")
    if "gpu_busy_share" in facts.figures:
        parts.append(f"GPUs {facts['gpu_busy_share']:.0%} busy")
    used = {name: amount for name, amount in _AMOUNTS.items() if name in facts.figures}
    parts += [f"{words} {figure(facts[name], unit)}" for name, (words, unit) in used.items()]
    told = facts.known("machine_busy_share", "machine_cores", "gpu_busy_share", *_CORES_OF, *_AMOUNTS)
    return Finding(Kind.DONE, "; ".join(filter(None, [*parts, facts.explanation])), told)


def processing(facts: Facts) -> Finding:
    """Of the work around the model: what of the replicas' CPU time is not the model's."""
    if not facts.figures:
        return _unmeasured(facts)
    cores = facts["replica_cpu_cores"]
    if facts.on_gpu:
        kind = Kind.DECIDE if facts["gpu_busy_share"] < IDLE and facts["machine_busy_share"] >= IDLE else Kind.DONE
        busy = f"{facts['gpu_busy_share']:.0%} busy"
        sentence = f"the model computes on the GPU ({busy}), the replicas use {cores:.2g} cores"
        return Finding(kind, sentence, facts.known("gpu_busy_share", "replica_cpu_cores"))
    around = 1 - facts.model_share
    if math.isnan(around):
        return Finding(Kind.UNCHECKED, _untold(facts), facts.known("compute_share"))
    sentence = (
        f"{around:.0%} of the replicas' {cores:.2g} cores is work around the model: reading, decoding, answering; "
        f"{facts.model_share:.0%} is the model" + (", if one thread computes a batch" if facts.assumed else "")
    )
    told = {"around_model_share": around, **facts.known("replica_cpu_cores", "batches_at_work")}
    if around >= DOMINANT:
        return Finding(Kind.DECIDE, f"{sentence}; {PROFILE}", told)
    return Finding(Kind.DONE, sentence, told)


def io(facts: Facts) -> Finding:
    """Of disks and networks: what of the response time passes on the way, and what CPUs wait for disks."""
    if not facts.figures:
        return _unmeasured(facts)
    way = facts["network_share"]
    words = [] if math.isnan(way) else [f"network, proxy and router take {way:.0%} of the response time"]
    waiting = facts["iowait_share"]
    words += [] if math.isnan(waiting) else [f"CPUs wait for disks {waiting:.1%} of the time"]
    told = facts.known("network_share", "iowait_share", "disk_mib_s", "network_mib_s")
    if not words:
        return Finding(
            Kind.UNCHECKED, "neither the application (Server-Timing) nor the system tells what is waited for"
        )
    sentence = "; ".join(words)
    if waiting >= NOTICEABLE:
        return Finding(Kind.DECIDE, f"{sentence}: load and cache what is read before requests come", told)
    if way >= NOTICEABLE and facts.data_plane == "proxy":
        return Finding(Kind.DECIDE, f"{sentence}: set cluster.data_plane to haproxy", told)
    return Finding(Kind.DONE, sentence, told)


def padding(facts: Facts) -> Finding | None:
    """Of the places that were filled up; None where the application does not tell."""
    waste = facts["padding_waste"]
    if math.isnan(waste):
        return None
    kind = Kind.DECIDE if waste >= NOTICEABLE else Kind.DONE
    return Finding(kind, f"{waste:.2f} places of padding for each token", facts.known("padding_waste"))


def distillation(facts: Facts) -> Finding:
    """By how much half a model would be better at most, all else staying as it is (Amdahl's law)."""
    if not facts.figures:
        return _unmeasured(facts)
    if facts.latency:
        share = facts["compute_share"] + facts.figures.get("backlog_share", 0.0)
        what, gained = "the model and the wait for it are {} of the response time", "a shorter response time"
    else:
        share = min(1.0, facts["batches_at_work"] / facts.replicas) if "batches_at_work" in facts.figures else math.nan
        what, gained = "the model is at work for {} of a replica's time", "throughput"
    if math.isnan(share):
        return Finding(Kind.UNCHECKED, "the application does not tell how long its model computes (Server-Timing)")
    factor = 1 / (1 - share * HALF)
    brings = f"one that computes half as long would bring ×{factor:.2f} in {gained} at most"
    sentence = f"{what.format(f'{share:.0%}')}: {brings}"
    told = {"model_share": share, "at_most": factor}
    if share < NOTICEABLE:
        return Finding(Kind.DONE, f"{sentence}, which is not worth its training", told)
    return Finding(Kind.DECIDE, f"{sentence}; by its share, not measured: weigh it against the accuracy", told)


def _unmeasured(facts: Facts) -> Finding:
    return Finding(Kind.UNCHECKED, f"the baseline could not be measured: {facts.why_not}")


def _untold(facts: Facts) -> str:
    """Why the model's CPU time is not known."""
    missing = [name for name in ("replica_cpu_cores", "batches_at_work") if name not in facts.figures]
    if "batches_at_work" in missing:
        return "the application does not tell compute and batch-size (Server-Timing, docs/application.md)"
    if missing:
        return "the CPU time of the replicas is not known: none of their processes is seen"
    known = "compute_share" in facts.figures
    share = f"; it takes {facts['compute_share']:.0%} of the response time" if known else ""
    return f"with several threads, or items in a request, the model's CPU time cannot be told{share}"
