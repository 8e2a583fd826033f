"""A job: what an offline trial runs in a process of its own, step by step. Knows no Ray and no statistics."""

from orchestrator.job.contract import Job, StepReport, read_report
from orchestrator.job.death import death, kernel_kills
from orchestrator.job.process import JobProcess, StepRow

__all__ = ["Job", "JobProcess", "StepReport", "StepRow", "death", "kernel_kills", "read_report"]
