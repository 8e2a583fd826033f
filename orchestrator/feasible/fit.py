"""How many replicas of a deployment fit on a node: by memory, by what Ray reserves, by the cores they use. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

MEMORY_SHARE = 0.95
"""Of a node's memory: Ray ends workers when more of it is in use (its `RAY_memory_usage_threshold`)."""

SMALLEST = 1e-4
"""Ray counts resources in ten-thousandths."""


@dataclass(frozen=True)
class Need:
    """What one replica of a deployment takes, seen while so many `replicas` of it were loaded.

    `memory_mib` is the most that it held, `cores` the most that it used on average over one load; `reserved` is what
    Ray sets aside for it, by Ray's names.
    """

    replicas: int
    memory_mib: float
    cores: float
    reserved: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Room:
    """What a node has: memory in all, what of it others use, cores, and resources by Ray's names."""

    memory_mib: float
    used_mib: float
    cores: float
    resources: Mapping[str, float] = field(default_factory=dict)


class Bound(NamedTuple):
    """No more than `most` replicas fit, for the sake of `what`; `most` is infinite where that is no limit."""

    what: str
    most: float
    why: str


def bounds(name: str, needs: Mapping[str, Need], room: Room) -> tuple[Bound, ...]:
    """What limits the replicas of deployment `name` while all others of `needs` keep theirs; by no rule below 0.

    A last replica for which half of the cores that it can use are left counts as fitting: cores can be shared, memory
    cannot.
    """
    need = needs[name]
    others = [other for title, other in needs.items() if title != name]
    return (
        _memory(need, others, room),
        *(_reserved(resource, each, others, room) for resource, each in need.reserved.items() if each > 0),
        _cores(need, others, room),
    )


def tightest(found: tuple[Bound, ...]) -> Bound:
    """The one that leaves the fewest."""
    return min(found, key=lambda bound: bound.most)


def _memory(need: Need, others: list[Need], room: Room) -> Bound:
    left = room.memory_mib * MEMORY_SHARE - room.used_mib - sum(other.replicas * other.memory_mib for other in others)
    return Bound(
        "memory",
        _count(left, need.memory_mib),
        f"one takes {need.memory_mib:,.0f} MiB, and {max(0.0, left):,.0f} of the node's {room.memory_mib:,.0f} MiB are "
        f"left for them: Ray ends workers above {MEMORY_SHARE:.0%}",
    )


def _reserved(resource: str, each: float, others: list[Need], room: Room) -> Bound:
    has = room.resources.get(resource, 0.0)
    left = has - sum(other.replicas * other.reserved.get(resource, 0.0) for other in others)
    return Bound(
        f"reserved {resource}",
        _count(left, each),
        f"Ray reserves {_amount(each, resource)} for each, and the node has {_amount(has, resource)}"
        + (f", {_amount(max(0.0, left), resource)} of it for them" if left != has else ""),
    )


def _cores(need: Need, others: list[Need], room: Room) -> Bound:
    left = room.cores - sum(other.replicas * other.cores for other in others)
    count = math.inf if not need.cores > 0 else max(1, math.floor(left / need.cores + 0.5))
    return Bound(
        "cores",
        count,
        f"one used {need.cores:.2g} cores at its busiest, and the node has {room.cores:g}: more would share them",
    )


def _count(left: float, each: float) -> float:
    return math.inf if not each > 0 else max(0, math.floor(left / each + SMALLEST))


def _amount(value: float, resource: str) -> str:
    return f"{value / 2**30:.3g} GiB" if resource == "memory" else f"{value:g} {resource}"
