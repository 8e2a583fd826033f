"""What of a space can run at all: how many replicas fit on a node, how many clients they sustain. Pure.

The figures come from whoever measures: `orchestrator.backend.probing`, or a fake.
"""

from orchestrator.feasible.climb import Step, Sustained, sustained
from orchestrator.feasible.fit import Bound, Need, Room, bounds, tightest
from orchestrator.feasible.narrow import Cap, Change, Narrowing, narrow
from orchestrator.feasible.probe import Finding, Site, probe

__all__ = [
    "Bound",
    "Cap",
    "Change",
    "Finding",
    "Narrowing",
    "Need",
    "Room",
    "Site",
    "Step",
    "Sustained",
    "bounds",
    "narrow",
    "probe",
    "sustained",
    "tightest",
]
