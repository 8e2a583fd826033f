"""What to measure next: searchers for Ray Tune, by the names that stand in an experiment file."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from orchestrator.result import Configuration
from orchestrator.search.confirming import ConfirmingSearch
from orchestrator.search.epsilon_greedy import EpsilonGreedySearcher
from orchestrator.search.frame import StudySearcher
from orchestrator.search.grid import GridSearcher
from orchestrator.search.tpe import TpeSearcher
from orchestrator.space import Space
from orchestrator.validation import unknown

_SEARCHERS: dict[str, Callable[..., StudySearcher]] = {
    "hyperopt": TpeSearcher,
    "random": StudySearcher,
    "grid": GridSearcher,
    "epsilon_greedy": EpsilonGreedySearcher,
}
ALGORITHMS = tuple(_SEARCHERS)

__all__ = ["ALGORITHMS", "ConfirmingSearch", "StudySearcher", "make_searcher"]


def make_searcher(
    space: Space,
    algorithm: str,
    seed: int,
    trials: int,
    baseline: Configuration,
    maximize: bool,
    parallel: int = 1,
    **settings: Any,
) -> StudySearcher:
    """The searcher of a study; equal arguments and results give equal suggestions.

    `trials` counts the suggestions after the baseline; `settings` are the algorithm's own, from the experiment file.
    ValueError: unknown algorithm, or nothing to search.
    """
    if algorithm not in _SEARCHERS:
        raise ValueError(unknown("algorithm", algorithm, ALGORITHMS))
    if not space.knobs:
        raise ValueError("the space has no knobs, so there is nothing to search")
    return _SEARCHERS[algorithm](space, seed, trials, baseline, maximize, parallel, **settings)
