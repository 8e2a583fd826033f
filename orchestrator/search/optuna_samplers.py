"""Gaussian process, tree-structured Parzen estimator and NSGA-II of Optuna. The only file that touches that library."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import optuna
from numpy.random import Generator
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.samplers import BaseSampler, GPSampler, NSGAIISampler, TPESampler
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState, create_trial
from threadpoolctl import threadpool_limits

from orchestrator.knob import Listed
from orchestrator.result import Configuration
from orchestrator.search.algorithm import PATIENCE, RANDOM_SHARE, Task
from orchestrator.search.history import History, Observation
from orchestrator.search.labels import labelled
from orchestrator.space import Knob

MOST = 100
"""How many trials a sampler is shown: telling one costs 0.2 ms, and a Gaussian process grows with their cube."""

GP_RANDOM = 4
"""Trials, the baseline among them, before the first model: with fewer, what varies is not yet known."""

GP_PATIENCE = 3
"""As `PATIENCE`, less because each further proposal costs a fit."""

POPULATION = (20, 50)
"""Bounds of NSGA-II's population, which is otherwise a quarter of the trials."""

optuna.logging.set_verbosity(optuna.logging.ERROR)  # it tells of every trial, and of a search that converges


def gaussian_process(task: Task) -> OptunaAlgorithm:
    """Expected improvement under a Gaussian process (Matérn 5/2, noise and length scales fitted), times the probability
    that the SLO holds under another one (Ament et al., 2023; Gardner et al., 2014)."""

    def sampler(seed: int) -> BaseSampler:
        return GPSampler(seed=seed, n_startup_trials=0)  # noise is fitted unless it is told that there is none

    return OptunaAlgorithm(task, sampler, objectives=1, random=GP_RANDOM, patience=GP_PATIENCE)


def parzen_estimator(task: Task) -> OptunaAlgorithm:
    """Tree-structured Parzen estimator of all knobs jointly (Watanabe, 2023); what keeps the SLO counts as better."""

    def sampler(seed: int) -> BaseSampler:
        return TPESampler(seed=seed, n_startup_trials=0, multivariate=True)

    return OptunaAlgorithm(task, sampler, objectives=1, random=math.ceil(RANDOM_SHARE * task.trials), patience=PATIENCE)


def nsga2(task: Task) -> OptunaAlgorithm:
    """Genetic algorithm for several objectives (Deb et al., 2002), one child at a time (Durillo et al., 2009).

    The parents of each child are the best of all that was measured: first those within the SLO, by the front that they
    are in, and of one front those in the thinnest company.
    """
    size = population(task.trials)

    def sampler(seed: int) -> BaseSampler:
        return NSGAIISampler(seed=seed, population_size=size)

    return OptunaAlgorithm(task, sampler, objectives=len(task.maximize), random=size, patience=PATIENCE)


def population(trials: int) -> int:
    """How many parents NSGA-II has, and how many trials it draws at random before there are any."""
    least, most = POPULATION
    return min(max(trials // 4, least), most)


ALGORITHMS = {"gp": gaussian_process, "tpe": parzen_estimator, "nsga2": nsga2}


class OptunaAlgorithm:
    """A sampler of Optuna, made anew for each trial and shown a selection of what is known; it keeps no state.

    Knobs have their own scale: whole numbers and ordered lists are integers, lists of other values categories. In every
    trial all knobs of the space have a value, those that are not active their middle one, so that a model has the same
    dimensions for all branches of a condition (imputation, as in Levesque et al., 2017).
    """

    batch = 1

    def __init__(
        self, task: Task, sampler: Callable[[int], BaseSampler], objectives: int, random: int, patience: int
    ) -> None:
        self._space = task.space
        self._sampler = sampler
        self._objectives = objectives
        self.random = random
        self._patience = patience
        self._knobs = dict(labelled(task.space))
        self._distributions = {label: distribution_of(knob) for label, knob in self._knobs.items()}
        self._middle = {label: number_of(knob, knob.decode(0.5)) for label, knob in self._knobs.items()}

    def proposals(self, history: History, rng: Generator) -> Iterator[Configuration]:
        """The best of earlier studies at first; then, after some random ones, the sampler's."""
        yield from history.recommended()
        known = history.selection(MOST)
        if len(known) < self.random:
            return
        directions = [StudyDirection.MINIMIZE] * self._objectives
        study = optuna.create_study(sampler=self._sampler(int(rng.integers(2**31))), directions=directions)
        study.add_trials([*self._finished(known), *map(self._running, history.under_way())])
        for _ in range(self._patience):
            with threadpool_limits(1):  # with two, matrices this small take twice as long, on busy cores much longer
                numbers = study.ask(self._distributions).params  # never told of: it counts as running from now on
            units = {label: unit_of(self._knobs[label], number) for label, number in numbers.items()}
            yield self._space.configure(units.__getitem__)

    def _finished(self, known: Sequence[Observation]) -> Iterator[FrozenTrial]:
        """A trial without figures is violated most; its objectives are in the middle, so that they say nothing."""
        measured = [one.losses[: self._objectives] for one in known if one.losses is not None]
        middle = tuple(map(statistics.median, zip(*measured, strict=True))) or (0.0,) * self._objectives
        constrained = any(one.violation != 0 for one in known)
        for one in known:
            yield create_trial(
                params=self._numbers(one.configuration),
                distributions=self._distributions,
                values=middle if one.losses is None else one.losses[: self._objectives],
                constraints={"slo": one.distance} if constrained else None,
                system_attrs={"NSGAIISampler:generation": 0},  # all are candidates for parents; others do not look
            )

    def _running(self, configuration: Configuration) -> FrozenTrial:
        numbers = self._numbers(configuration)
        return create_trial(state=TrialState.RUNNING, params=numbers, distributions=self._distributions)

    def _numbers(self, configuration: Configuration) -> dict[str, float]:
        active = self._space.active(configuration)
        return {**self._middle, **{label: number_of(knob, configuration[path]) for label, path, knob in active}}


def distribution_of(knob: Knob) -> BaseDistribution:
    """The knob on its own scale, both ends included."""
    if isinstance(knob, Listed):
        places = len(knob.listed())
        return IntDistribution(0, places - 1) if knob.ordinal else CategoricalDistribution(range(places))
    if knob.whole:
        return IntDistribution(int(knob.low), int(knob.high), log=knob.logarithmic)
    return FloatDistribution(knob.low, knob.high, log=knob.logarithmic)


def number_of(knob: Knob, value: Any) -> float:
    """A contained value as the distribution has it: the place in a list, or the number itself."""
    return knob.index(value) if isinstance(knob, Listed) else value


def unit_of(knob: Knob, number: float) -> float:
    """The knob's coordinate of a number of its distribution."""
    return (number + 0.5) / len(knob.listed()) if isinstance(knob, Listed) else knob.encode(number)
