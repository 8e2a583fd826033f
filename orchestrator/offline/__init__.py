"""An offline trial: a job in a process of its own, measured step by step. What it acts on is handed in."""

from orchestrator.offline.bench import Bench, FreshProcess
from orchestrator.offline.trial import run_job

__all__ = ["Bench", "FreshProcess", "run_job"]
