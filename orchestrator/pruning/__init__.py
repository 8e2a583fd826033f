"""What is not worth deploying, by Serve's own rules and the load. Pure.

A configuration is pruned before anything is deployed if it cannot run, surely breaks the SLO, or has another one in
the space beside it that is at least as good. docs/pruning.md says for each rule why that is safe.
"""

from orchestrator.pruning.census import Case, Census, census
from orchestrator.pruning.reasons import Finding
from orchestrator.pruning.resources import Node
from orchestrator.pruning.rules import Pruning

__all__ = [
    "Case",
    "Census",
    "Finding",
    "Node",
    "Pruning",
    "census",
]
