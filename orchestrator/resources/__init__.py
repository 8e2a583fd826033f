"""What the processes behind a measurement take of their machine."""

from orchestrator.resources.processes import Groups, Running, endpoint_groups, serve_groups
from orchestrator.resources.sampler import ResourceSampler, ResourceUse

__all__ = ["Groups", "ResourceSampler", "ResourceUse", "Running", "endpoint_groups", "serve_groups"]
