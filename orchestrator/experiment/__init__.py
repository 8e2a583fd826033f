"""The experiment file as validated, frozen values."""

from orchestrator.experiment.across import replications
from orchestrator.experiment.configured import ENCODING, ITEMS, configured, lightest
from orchestrator.experiment.load import load_experiment, own_raw, read_experiment
from orchestrator.experiment.plan import ALGORITHMS, ClusterPlan, ConfirmPlan, Experiment, MeasurePlan, SearchPlan
from orchestrator.experiment.row import row_of
from orchestrator.experiment.traffic import Bursts, ClosedLoop, Load, MaxRate, OpenLoop, Ramp, Steady, Trace

__all__ = [
    "ALGORITHMS",
    "ENCODING",
    "ITEMS",
    "Bursts",
    "ClosedLoop",
    "ClusterPlan",
    "ConfirmPlan",
    "Experiment",
    "Load",
    "MaxRate",
    "MeasurePlan",
    "OpenLoop",
    "Ramp",
    "SearchPlan",
    "Steady",
    "Trace",
    "configured",
    "lightest",
    "load_experiment",
    "own_raw",
    "read_experiment",
    "replications",
    "row_of",
]
