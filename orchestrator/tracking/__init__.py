"""Where trials are kept: the only package that imports MLflow, and only to open a store, for it is slow."""

from orchestrator.tracking.mlflow_tracker import MlflowTracker, open_tracker
from orchestrator.tracking.port import StudySummary, Tracker
from orchestrator.tracking.store import ui_command

__all__ = ["MlflowTracker", "StudySummary", "Tracker", "open_tracker", "ui_command"]
