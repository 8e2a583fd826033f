"""The command line: the only place that prints."""

from orchestrator.cli.app import main

__all__ = ["main"]
