"""Why the process of a job has died: for want of memory, which is nobody's mistake, or otherwise."""

from __future__ import annotations

import re
from pathlib import Path

from orchestrator.errors import DeploymentFailedError, InfeasibleError, OrchestratorError

VMSTAT = Path("/proc/vmstat")

_RAYS_MONITOR = re.compile(r"low on memory|memory usage above|memory usage threshold", re.IGNORECASE)
"""What Ray says of a process that it has ended itself. Of any other it says that it may have been memory."""


def kernel_kills(vmstat: Path = VMSTAT) -> int:
    """How many processes this machine's kernel has killed for want of memory so far; 0 where it does not say."""
    try:
        lines = vmstat.read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("oom_kill ")), 0)


def death(said: str, kills: int) -> OrchestratorError:
    """The error that tells of a process that died; `said` is Ray's text, `kills` the kernel's kills in that time."""
    if kills > 0:
        return InfeasibleError("the job needs more memory than there is: the kernel killed its process")
    if _RAYS_MONITOR.search(said):
        return InfeasibleError("the job needs more memory than the node has: Ray killed its process before it was full")
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    return DeploymentFailedError(f"the process of the job died: {lines[-1] if lines else 'nobody knows why'}")
