"""What this machine has moved so far: bytes to and from its disks, and over its networks."""

from __future__ import annotations

import math
from typing import NamedTuple

import psutil

LOOPBACK = "lo"


class Moved(NamedTuple):
    """Bytes since the machine started; NaN where the system does not tell.

    The network is all interfaces but loopback: a request between processes of one machine is none of its traffic. In a
    container the disks are the host's.
    """

    disk: float = math.nan
    network: float = math.nan


def moved() -> Moved:
    """Up to now."""
    return Moved(_disk(), _network())


def _disk() -> float:
    try:
        counters = psutil.disk_io_counters()
    except (OSError, RuntimeError):  # not every kernel tells
        return math.nan
    return math.nan if counters is None else float(counters.read_bytes + counters.write_bytes)


def _network() -> float:
    try:
        interfaces = psutil.net_io_counters(pernic=True)
    except (OSError, RuntimeError):
        return math.nan
    return float(sum(one.bytes_sent + one.bytes_recv for name, one in interfaces.items() if name != LOOPBACK))
