"""What the processes behind a measurement take of their machine."""

from orchestrator.resources.processes import Groups, Running, endpoint_groups, job_groups, serve_groups
from orchestrator.resources.replicas import ReplicaUse, Share, replicas_of, shares
from orchestrator.resources.sampler import ResourceSampler, ResourceUse

__all__ = [
    "Groups",
    "ReplicaUse",
    "ResourceSampler",
    "ResourceUse",
    "Running",
    "Share",
    "endpoint_groups",
    "job_groups",
    "replicas_of",
    "serve_groups",
    "shares",
]
