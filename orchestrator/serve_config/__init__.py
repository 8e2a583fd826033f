"""Ray Serve application configs as plain values: read, merge, check, compare and write them. Pure.

An *app* is a mapping in the form of Serve's `ServeApplicationSchema`. A *path* names a value in it:
`args.precision` for a field of the application, `Classifier.num_replicas` or
`Classifier.user_config.max_batch_size` for an option of one of its deployments.
Nothing here changes its arguments.
"""

from orchestrator.serve_config.change import in_place
from orchestrator.serve_config.deploy import (
    deployable,
    pin,
    to_yaml,
    with_trial_defaults,
    without_access_log,
)
from orchestrator.serve_config.limits import (
    clocks_meanwhile,
    cores_later,
    is_limited,
    may_be_limited,
    may_set_clocks,
    with_limits,
)
from orchestrator.serve_config.paths import merge, path_problem, read
from orchestrator.serve_config.reserved import Reserved, reserved
from orchestrator.serve_config.schema import app_findings, app_problems

__all__ = [
    "Reserved",
    "app_findings",
    "app_problems",
    "clocks_meanwhile",
    "cores_later",
    "deployable",
    "in_place",
    "is_limited",
    "may_be_limited",
    "may_set_clocks",
    "merge",
    "path_problem",
    "pin",
    "read",
    "reserved",
    "to_yaml",
    "with_limits",
    "with_trial_defaults",
    "without_access_log",
]
