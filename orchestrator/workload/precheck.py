"""What of a workload can be checked before a cluster is started."""

from __future__ import annotations

from pathlib import Path

from orchestrator.workload import files, function
from orchestrator.workload.place import told_at
from orchestrator.workload.plan import Workload


def check_payloads(workload: Workload, base_dir: Path, items_per_request: int = 1) -> None:
    """Makes whatever of the payloads needs no running application; PayloadError as from `make_payloads`.

    A missing file or function is better found here than in every trial.
    """
    for place, source in workload.sources().items():
        if source.payloads is None:
            continue
        with told_at(f"{place}.payloads"):
            if source.payloads.endswith(".npz"):
                files.tensor_groups(base_dir / source.payloads, items_per_request)
            elif source.payloads.endswith(".jsonl"):
                files.json_groups(base_dir / source.payloads, items_per_request)
            else:
                function.call(source, base_dir, items_per_request, workload.encoding)
