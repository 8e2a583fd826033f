"""Real limits on the CPU and the memory of a replica, by the control groups of Linux; clocks of GPUs, by NVML.

What Ray calls `num_cpus` and `memory` is book-keeping: a replica that reserves half a core may use all of them. Here
the process of each replica starts in a control group of its own, as a container does, whose limits the kernel enforces.
"""

from orchestrator.limits.clocks import ClockError, Clocks
from orchestrator.limits.groups import GroupError, Groups, Limits, Usage

__all__ = ["ClockError", "Clocks", "GroupError", "Groups", "Limits", "Usage"]
