"""Bayesian optimisation with the project's own model: few, noisy, expensive trials, and an SLO.

A Gaussian process (process.py) stands for the first objective, another one for the SLO. The next configuration is the
one with the largest expected improvement times the probability that the SLO holds (J. R. Gardner et al., Bayesian
optimization with inequality constraints, ICML 2014). The first few spread over the space, each as far as possible from
those before (T. F. Gonzalez, 1985; a maximin design).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy.special import ndtr

from orchestrator.plain import identity
from orchestrator.result import Configuration
from orchestrator.search.algorithm import Task
from orchestrator.search.epsilon_greedy import neighbour
from orchestrator.search.expected import expected_improvement
from orchestrator.search.grid import grid_point
from orchestrator.search.history import History, Observation
from orchestrator.search.loss import relative_loss
from orchestrator.search.process import Process, coordinates

SPREAD_OUT = 5
"""Trials, the baseline among them, that are spread over the space before the first model."""

MOST_LISTED = 2000
"""A space of so many configurations is looked at as a whole."""

CANDIDATES = 500
"""Random configurations among which the next one is chosen in a larger space."""

NEIGHBOURS = 100
"""Candidates near the best so far, beside the random ones: in a space of real numbers none of those comes close."""

ALIKE, MOST_ALIKE = 0.9, 50
"""A candidate that promises at least this share of the most is as good a choice; so many are looked at."""

MOST = 60
"""Observations that the models are made from: their cost grows with the cube."""

KEPT, BROKEN, MOST_BROKEN = -0.15, 0.02, 1.0
"""What the model of the SLO is told: how well it is kept is not reported, how far it is broken is."""


class Surrogate:
    """Expected improvement under a Gaussian process, weighed by the probability of keeping the SLO."""

    batch = 1
    random = 0

    def __init__(self, task: Task) -> None:
        self._task = task
        self._everything: tuple[list[Configuration], NDArray[np.float64]] | None = None

    def proposals(self, history: History, rng: Generator) -> Iterator[Configuration]:
        """The best of earlier studies at first; then candidates by what is to be hoped of them."""
        yield from history.recommended()
        seen, under_way = history.selection(MOST), list(history.under_way())
        candidates, points = self._candidates(history, rng)
        if not candidates:
            return
        known = [*(one.configuration for one in seen), *under_way]
        if len(known) < SPREAD_OUT or all(one.losses is None for one in seen):
            promise = self._distances(points, known, rng)
        else:
            promise = self._promise(seen, under_way, points)
        random_order = rng.permutation(len(candidates))
        order = sorted(random_order, key=lambda place: -promise[place])
        alike = [place for place in order[:MOST_ALIKE] if promise[place] >= ALIKE * promise[order[0]]]
        first = [place for place in alike if self._in_place(history.latest(), candidates[place])]
        yield from (candidates[place] for place in dict.fromkeys([*first, *order]))

    def _in_place(self, deployed: Configuration | None, candidate: Configuration) -> bool:
        """Whether Serve gets to it from what is deployed without replacing replicas."""
        in_place = self._task.in_place
        return deployed is not None and in_place is not None and in_place(deployed, candidate)

    def _distances(
        self, points: NDArray[np.float64], known: Sequence[Configuration], rng: Generator
    ) -> NDArray[np.float64]:
        """How far each point is from all that is known."""
        if not known:
            return rng.random(len(points))
        taken = coordinates(self._task.space, known)
        return np.linalg.norm(points[:, None] - taken[None], axis=2).min(axis=1)

    def _promise(
        self, seen: Sequence[Observation], under_way: Sequence[Configuration], points: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        measured = coordinates(self._task.space, [one.configuration for one in seen])
        losses = np.array([np.nan if one.losses is None else relative_loss(one.losses[0]) for one in seen])
        failed = np.isnan(losses)
        losses[failed] = losses[~failed].max()
        process = self._fit(measured, losses, under_way)
        kept = np.array([one.violation == 0 for one in seen]) & ~failed
        promise = np.ones(len(points))
        if kept.any():
            best = float(process.predict(measured[kept])[0].min())
            promise = expected_improvement(best, *process.predict(points))
        if kept.all():
            return promise
        limit = self._fit(measured, np.array([_margin(one) for one in seen]), under_way)
        mean, error = limit.predict(points)
        return promise * ndtr(-mean / error)

    def _fit(
        self, measured: NDArray[np.float64], values: NDArray[np.float64], under_way: Sequence[Configuration]
    ) -> Process:
        """What is under way is taken to come out as expected, so that its neighbourhood promises nothing new."""
        process = Process.fit(measured, values)
        if not under_way:
            return process
        taken = coordinates(self._task.space, under_way)
        believed = np.concatenate([values, process.predict(taken)[0]])
        return Process.fit(np.concatenate([measured, taken]), believed)

    def _candidates(self, history: History, rng: Generator) -> tuple[list[Configuration], NDArray[np.float64]]:
        """What may be proposed, and its coordinates: new, not pruned, and itself what stands for all of its effect."""
        space, size = self._task.space, self._task.space.size()
        if size is None or size > MOST_LISTED:
            drawn = [space.sample(rng) for _ in range(CANDIDATES)]
            best = history.best()
            near = [neighbour(space, best.configuration, rng) for _ in range(NEIGHBOURS)] if best else []
            fresh = [one for one in self._worth_it([*drawn, *near]) if identity(one) not in history]
            return fresh, coordinates(space, fresh)
        if self._everything is None:
            listed = [*self._worth_it([grid_point(space, index, size) for index in range(size)])]
            self._everything = listed, coordinates(space, listed)
        listed, points = self._everything
        new = [place for place, one in enumerate(listed) if identity(one) not in history]
        return [listed[place] for place in new], points[new]

    def _worth_it(self, drawn: Sequence[Configuration]) -> Iterator[Configuration]:
        canonical, prune = self._task.canonical, self._task.prune
        for one in {identity(one): one for one in drawn}.values():
            stands_for_itself = canonical is None or identity(canonical(one)) == identity(one)
            if stands_for_itself and not (prune and prune(one)):
                yield one


def _margin(one: Observation) -> float:
    """By how much an observation breaks the SLO, on the scale of the logarithm; below 0 where it keeps it."""
    if one.violation == 0:
        return KEPT
    return MOST_BROKEN if one.violation is None else min(float(np.log1p(one.violation)), MOST_BROKEN) + BROKEN
