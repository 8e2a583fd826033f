"""Is the winner one? Which trials are deployed and measured again, in which order, and what came of it. Pure."""

from orchestrator.confirmation.across import line_up_across
from orchestrator.confirmation.conclusion import confirmed
from orchestrator.confirmation.series import Cell, Contender, Series, line_up

__all__ = ["Cell", "Contender", "Series", "confirmed", "line_up", "line_up_across"]
