"""What to measure next: searchers for Ray Tune, by the names that stand in an experiment file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from orchestrator.result import Configuration
from orchestrator.search.algorithm import Algorithm, Random, Task
from orchestrator.search.confirming import ConfirmingSearch
from orchestrator.search.epsilon_greedy import EpsilonGreedy
from orchestrator.search.frame import StudySearcher
from orchestrator.search.grid import Grid
from orchestrator.search.hyperopt_tpe import HyperoptTpe
from orchestrator.search.listed import ListedSearch
from orchestrator.search.rounds import RoundsSearch
from orchestrator.search.surrogate import Surrogate
from orchestrator.space import Space
from orchestrator.validation import unknown

_OWN: dict[str, Callable[..., Algorithm]] = {
    "hyperopt": HyperoptTpe,
    "random": Random,
    "grid": Grid,
    "epsilon_greedy": EpsilonGreedy,
    "surrogate": Surrogate,
}
ALGORITHMS = (*_OWN, "gp", "tpe", "nsga2")

__all__ = ["ALGORITHMS", "ConfirmingSearch", "ListedSearch", "RoundsSearch", "StudySearcher", "make_searcher"]


def make_searcher(
    space: Space,
    algorithm: str,
    seed: int,
    trials: int,
    baseline: Configuration,
    maximize: Sequence[bool],
    parallel: int = 1,
    prune: Callable[[Configuration], str | None] | None = None,
    canonical: Callable[[Configuration], Configuration] | None = None,
    in_place: Callable[[Configuration, Configuration], bool] | None = None,
    is_over: Callable[[], bool] = lambda: False,
    least_gain: float | None = None,
    guesses: Sequence[Configuration] = (),
    **settings: Any,
) -> StudySearcher:
    """The searcher of a study; equal arguments and results give equal suggestions.

    `trials` counts the suggestions after the baseline. `maximize` has one entry for each objective; the algorithms for
    one objective go by the first. For `prune` and what follows see `orchestrator.search.algorithm.Task`.
    `settings` are the algorithm's own, from the experiment file.
    ValueError: unknown algorithm, or nothing to search.
    """
    if algorithm not in ALGORITHMS:
        raise ValueError(unknown("algorithm", algorithm, ALGORITHMS))
    if not space.knobs:
        raise ValueError("the space has no knobs, so there is nothing to search")
    task = Task(
        space, seed, trials, baseline, maximize, parallel, prune, canonical, in_place, is_over, least_gain, guesses
    )
    return StudySearcher(task, _factory(algorithm)(task, **settings))


def _factory(algorithm: str) -> Callable[..., Algorithm]:
    if algorithm in _OWN:
        return _OWN[algorithm]
    from orchestrator.search import optuna_samplers  # an extra, which experiments that name it are checked for

    return optuna_samplers.ALGORITHMS[algorithm]
