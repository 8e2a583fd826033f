"""The experiment file as validated, frozen values."""

from orchestrator.experiment.load import load_experiment
from orchestrator.experiment.plan import (
    ALGORITHMS,
    ClosedLoop,
    ClusterPlan,
    Experiment,
    Load,
    MeasurePlan,
    SearchPlan,
)

__all__ = [
    "ALGORITHMS",
    "ClosedLoop",
    "ClusterPlan",
    "Experiment",
    "Load",
    "MeasurePlan",
    "SearchPlan",
    "load_experiment",
]
