"""Bayesian optimisation with the project's own model: few, noisy, expensive trials, and an SLO.

A Gaussian process (process.py) stands for the first objective, another one for the SLO. The next configuration is the
one with the largest expected improvement times the probability that the SLO holds (J. R. Gardner et al., Bayesian
optimization with inequality constraints, ICML 2014). The first few spread over the space, each as far as possible from
those before (T. F. Gonzalez, 1985; a maximin design).
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy.special import ndtr

from orchestrator.plain import identity
from orchestrator.result import Configuration
from orchestrator.search.algorithm import Task
from orchestrator.search.epsilon_greedy import neighbour
from orchestrator.search.grid import grid_point
from orchestrator.search.history import History, Observation
from orchestrator.search.improvement import expected_improvement
from orchestrator.search.loss import relative_loss
from orchestrator.search.process import Process, coordinates

SPREAD_OUT = 5
"""Trials, the baseline among them, that are spread over the space before the first model."""

MOST_LISTED = 2000
"""A space of so many configurations is looked at as a whole."""

CANDIDATES = 400
"""Random configurations among which the next one is chosen in a larger space."""

NEIGHBOURS = 100
"""Candidates near the best so far, beside the random ones: in a space of real numbers none of those comes close."""

ALIKE, MOST_ALIKE = 0.9, 50
"""A candidate that promises at least this share of the most is as good a choice; so many are looked at."""

MOST = 60
"""Observations that the models are made from: their cost grows with the cube."""


class Surrogate:
    """Expected improvement under a Gaussian process, weighed by the probability of keeping the SLO."""

    batch = 1
    random = SPREAD_OUT

    def __init__(self, task: Task) -> None:
        self._task = task
        self._lessons: dict[tuple[str, int], Process] = {}  # by the figure and the number of trials
        self._everything: tuple[list[Configuration], NDArray[np.float64]] | None = None

    def proposals(self, history: History, rng: Generator) -> Iterator[Configuration]:
        """The best of earlier studies and the guesses at first; then candidates by what is to be hoped of them."""
        yield from history.recommended()
        yield from self._task.guesses
        candidates, points = self._candidates(history, rng)
        if not candidates:
            return
        seen = history.selection(MOST)
        known = [*(one.configuration for one in seen), *history.under_way()]
        if len(known) < SPREAD_OUT or all(one.losses is None for one in seen):
            promise = self._distances(points, known, rng)
        else:
            promise = self._promise(history, seen, points)
        random_order = rng.permutation(len(candidates))
        order = sorted(random_order, key=lambda place: -promise[place])
        alike = [place for place in order[:MOST_ALIKE] if promise[place] >= ALIKE * promise[order[0]]]
        deployed = history.latest()
        first = (place for place in alike if self._in_place(deployed, candidates[place]))
        yielded: set[int] = set()  # lazily: whoever asks mostly takes one of the first
        for place in itertools.chain(first, order):
            if place not in yielded:
                yielded.add(place)
                yield candidates[place]

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
        self, history: History, seen: Sequence[Observation], points: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """The expected improvement at each point times the probability that it keeps the SLO.

        What is under way is taken to come out as expected, so that its neighbourhood promises nothing new.
        """
        space, under_way = self._task.space, list(history.under_way())
        measured = coordinates(space, [one.configuration for one in seen])
        taken = coordinates(space, under_way) if under_way else np.empty((0, measured.shape[1]))
        objective = self._believing(history, _losses, seen, measured, taken)
        kept = np.array([one.violation == 0 and one.losses is not None for one in seen])
        promise = np.ones(len(points))
        if kept.any():
            best = float(objective.predict(np.concatenate([measured[kept], taken]))[0].min())
            promise = expected_improvement(best, *objective.predict(points))
        if kept.all():
            return promise
        mean, error = self._believing(history, _distances, seen, measured, taken).predict(points)
        return promise * ndtr(-mean / error)

    def _believing(
        self,
        history: History,
        told: Callable[[Sequence[Observation]], NDArray[np.float64]],
        seen: Sequence[Observation],
        measured: NDArray[np.float64],
        taken: NDArray[np.float64],
    ) -> Process:
        """The model of one figure."""
        values = told(seen)
        process = self._learned(history, told).told(measured, values)
        if not len(taken):
            return process
        believed = np.concatenate([values, process.predict(taken)[0]])
        return process.told(np.concatenate([measured, taken]), believed, believed=len(taken))

    def _learned(self, history: History, told: Callable[[Sequence[Observation]], NDArray[np.float64]]) -> Process:
        """How a figure changes over the space, learned now and then, because that is what takes time.

        It is learned from the first so many trials, so that a study that is continued learns the same.
        """
        measured = last_lesson(history.measured())
        if (told.__name__, measured) not in self._lessons:
            seen = history.beginning(measured, MOST)
            points = coordinates(self._task.space, [one.configuration for one in seen])
            others = {key: lesson for key, lesson in self._lessons.items() if key[0] != told.__name__}
            self._lessons = {**others, (told.__name__, measured): Process.fit(points, told(seen))}
        return self._lessons[told.__name__, measured]

    def _candidates(self, history: History, rng: Generator) -> tuple[list[Configuration], NDArray[np.float64]]:
        """What may be proposed, and its coordinates; in a small space what is new and worth it, as far as known.

        In a larger one looking at each of them would take most of the time, and whoever takes a proposal looks anyway.
        """
        space, size = self._task.space, self._task.space.size()
        if size is None or size > MOST_LISTED:
            drawn = [space.sample(rng) for _ in range(CANDIDATES)]
            best = history.best()
            near = [neighbour(space, best.configuration, rng) for _ in range(NEIGHBOURS)] if best else []
            return [*drawn, *near], coordinates(space, [*drawn, *near])
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


def last_lesson(measured: int) -> int:
    """After how many of so many measurements a model learns for the last time: each of 16, then ever less often.

    From 16 on eight times until they have doubled, so that the time for it is negligible in the end.
    """
    step = max(1, 2 ** (measured.bit_length() - 4))
    return measured - measured % step


def _losses(seen: Sequence[Observation]) -> NDArray[np.float64]:
    """Of the first objective on the scale of the logarithm; a trial without a figure is as bad as the worst."""
    losses = [None if one.losses is None else relative_loss(one.losses[0]) for one in seen]
    worst = max((loss for loss in losses if loss is not None), default=0.0)
    return np.array([worst if loss is None else loss for loss in losses])


def _distances(seen: Sequence[Observation]) -> NDArray[np.float64]:
    """From the SLO."""
    return np.array([one.distance for one in seen])
