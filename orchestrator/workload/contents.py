"""What a workload's requests hold, told by their first bytes."""

from __future__ import annotations

from pathlib import Path

from orchestrator.workload import function
from orchestrator.workload.place import told_at
from orchestrator.workload.plan import Workload

JPEG_BEGINS = b"\xff\xd8\xff"
"""Start of image, and of the marker after it (ITU-T T.81)."""


def jpeg_share(workload: Workload, base_dir: Path, items_per_request: int = 1) -> float:
    """The share of the requests whose body is a JPEG picture; PayloadError as from `make_payloads`.

    Requests that are made of tensors or of JSON are none.
    """
    found, total = 0.0, 0.0
    for place, source in workload.sources().items():
        weight = getattr(source, "weight", 1.0)
        total += weight
        if source.payloads is not None and ":" in source.payloads:
            with told_at(f"{place}.payloads"):
                payloads = function.call(source, base_dir, items_per_request, workload.encoding)
            found += weight * sum(one.body.startswith(JPEG_BEGINS) for one in payloads) / len(payloads)
    return found / total
