"""What an algorithm is asked, and what it is told."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from numpy.random import Generator

from orchestrator.result import Configuration
from orchestrator.search.history import History
from orchestrator.space import Space

PATIENCE = 8
"""How often in a row an algorithm may propose what is known, before a random new configuration takes its turn."""


RANDOM_SHARE = 0.15
"""Share of the trials that an estimator of densities draws at random before it trusts its model."""


@dataclass(frozen=True)
class Task:
    """What is searched, and under which rules.

    `trials` does not count the baseline; `maximize` has one entry for each objective. `prune` gives the reason why a
    configuration is not worth deploying, or None; `canonical` the one configuration of the space that stands for all of
    the same effect; `in_place` says whether Serve gets from one configuration to another without replacing replicas.
    `is_over` says whether the search has had its time; `least_gain` ends it too, when no configuration is expected to
    be better than the best by so large a share (None: never). `guesses` are what is worth trying first.
    """

    space: Space
    seed: int
    trials: int
    baseline: Configuration
    maximize: Sequence[bool]
    parallel: int = 1
    prune: Callable[[Configuration], str | None] | None = None
    canonical: Callable[[Configuration], Configuration] | None = None
    in_place: Callable[[Configuration, Configuration], bool] | None = None
    is_over: Callable[[], bool] = lambda: False
    least_gain: float | None = None
    guesses: Sequence[Configuration] = ()


class Algorithm(Protocol):
    """A way to choose the next configuration.

    `batch` is how many it can choose ahead without becoming worse, because it learns nothing from trials, or little.
    `random` is how many configurations, of earlier studies too, have to be known before it proposes any itself.
    """

    @property
    def batch(self) -> int:
        """How many configurations to choose at a time."""
        ...

    @property
    def random(self) -> int:
        """How many to leave to chance at first."""
        ...

    def proposals(self, history: History, rng: Generator) -> Iterable[Configuration]:
        """Configurations to measure, the most promising first; the first one that is new will be taken.

        None at all leaves the choice to chance. The same history and random numbers give the same proposals, so a study
        is continued by telling what it has measured.
        """


class Random:
    """Leaves every choice to chance."""

    batch = 8

    def __init__(self, task: Task) -> None:
        self.random = task.trials + 1  # never

    def proposals(self, history: History, rng: Generator) -> Iterable[Configuration]:  # noqa: ARG002
        """None."""
        return ()
