"""What a study wants (its objectives), what it may not break (its SLO), and how a measurement scores. Pure."""

from orchestrator.objective.cost import COST_PER_MILLION, Prices, cost_figures
from orchestrator.objective.goals import ITEMS_PER_S, MAXIMIZE, MINIMIZE, read_objectives
from orchestrator.objective.score import (
    ACCURACY,
    SMALLEST_VIOLATION,
    UNMEASURED_VIOLATION,
    accuracy_verdict,
    lacking_accuracy,
    score,
)
from orchestrator.objective.slo import Slo, read_slo

__all__ = [
    "ACCURACY",
    "COST_PER_MILLION",
    "ITEMS_PER_S",
    "MAXIMIZE",
    "MINIMIZE",
    "SMALLEST_VIOLATION",
    "UNMEASURED_VIOLATION",
    "Prices",
    "Slo",
    "accuracy_verdict",
    "cost_figures",
    "lacking_accuracy",
    "read_objectives",
    "read_slo",
    "score",
]
