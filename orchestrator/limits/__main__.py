"""`python -m orchestrator.limits --cpu 0.5 --memory-mb 700 --group NAME COMMAND ...`: the command, within limits.

`--gpu-clock-mhz` locks the clocks of the machine's GPUs besides.

Ray starts the worker of a replica with it, as the `py_executable` of its runtime environment. It becomes the command,
so that the process is the one that Ray knows. Where limits cannot be set, it ends with an error and starts nothing.
"""

from __future__ import annotations

import argparse
import os
import sys

from orchestrator.limits.clocks import ClockError, Clocks
from orchestrator.limits.groups import GroupError, Groups, Limits


def main() -> None:
    """Makes a group, enters it, sets the clock, and becomes the command."""
    parser = argparse.ArgumentParser(prog="python -m orchestrator.limits", description=__doc__)
    parser.add_argument("--cpu", type=float, help="cores")
    parser.add_argument(
        "--cpu-later", type=float, help="cores, which somebody else sets when the command has started up"
    )
    parser.add_argument("--memory-mb", type=float, help="MiB")
    parser.add_argument("--gpu-clock-mhz", type=float, help="MHz, of all GPUs of this machine")
    parser.add_argument("--gpu-clock-meanwhile", type=float, help="MHz, which somebody else sets and resets")
    parser.add_argument("--group", default="replica", help="beginning of the group's name; its number follows")
    parser.add_argument("command", nargs=argparse.REMAINDER)
    options = parser.parse_args()
    groups, name = Groups(), f"{options.group}-{os.getpid()}"
    try:
        if any(limit is not None for limit in (options.cpu, options.cpu_later, options.memory_mb)):
            groups.make(name, Limits(options.cpu, options.memory_mb))
            groups.enter(name)
        if options.gpu_clock_mhz is not None:
            Clocks().lock(options.gpu_clock_mhz)
    except GroupError as error:
        sys.exit(f"the limits on CPU and memory cannot be set: {error}")
    except ClockError as error:
        sys.exit(f"the clock of the GPUs cannot be set on this machine: {error}")
    os.execvp(options.command[0], options.command)


if __name__ == "__main__":
    main()
