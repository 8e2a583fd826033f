"""What comes out of a trial and of a study. Frozen values."""

from orchestrator.result.across import Across, without
from orchestrator.result.confirmation import Candidate, Confirmation, Ratio
from orchestrator.result.study import StudyResult, best_of, contenders
from orchestrator.result.trial import BASELINE, Configuration, Objective, Score, Status, TrialResult

__all__ = [
    "BASELINE",
    "Across",
    "Candidate",
    "Configuration",
    "Confirmation",
    "Objective",
    "Ratio",
    "Score",
    "Status",
    "StudyResult",
    "TrialResult",
    "best_of",
    "contenders",
    "without",
]
