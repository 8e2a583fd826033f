"""What of a workload can be checked before a cluster is started."""

from __future__ import annotations

from pathlib import Path

from orchestrator.workload import files, function
from orchestrator.workload.plan import Workload


def check_payloads(workload: Workload, base_dir: Path) -> None:
    """Makes whatever of the payloads needs no running application; PayloadError as from `make_payloads`.

    A missing file or function is better found here than in every trial.
    """
    source = workload.payloads
    if source is None:
        return
    if source.endswith(".npz"):
        files.tensor_items(base_dir / source)
    elif source.endswith(".jsonl"):
        files.json_lines(base_dir / source)
    else:
        function.call(workload, base_dir)
