"""Which knobs mattered: permutation importance on a forest of random trees, of trials that it has not seen.

The forest predicts the logarithm of the objective's figure from the knobs. Then one knob's values are shuffled between
trials, which takes from the forest what it knows by that knob; half of what the squared error grows by, over the
variance of the trials, is the share of their variation in which the knob has a part, alone or together with others
(the total index of Sobol). A knob is judged by trials that the forest was not grown from: a forest explains what it
has seen by whatever it is given, a knob without any effect included.

Sources: L. Breiman, Random forests, Machine Learning 45 (2001), for the importance; P. Geurts, D. Ernst and
L. Wehenkel, Extremely randomized trees, Machine Learning 63 (2006), for the trees, which smooth more and so know more
of few trials; B. Gregorutti, B. Michel and P. Saint-Pierre, Correlation and variable importance in random forests,
Statistics and Computing 27 (2017), for the half.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from orchestrator.insight.table import Column, tabulate
from orchestrator.measure.interval import Interval
from orchestrator.names import listing
from orchestrator.result import Status, StudyResult, TrialResult
from orchestrator.space import Space

FEWEST = 10
"""Trials that it takes: a third of fewer are three, by which no forest can be judged."""

SPLITS, HELD_OUT = 12, 1 / 3
"""How often the trials are divided anew, and the share of them that the forest does not see."""

TREES, SHUFFLES = 32, 3
"""Of each forest, and of each knob."""

MOST = 600
"""Trials in one split; of longer studies each split takes other ones, so that the time does not grow."""

EXPLAINED = 0.2
"""Of the variation between unseen trials: a forest that explains less knows too little of any knob."""

SPREAD = (10, 90)
"""Percentiles over the splits."""

LEAST = 0.01
"""The share from which a knob is said to matter: without noise the smallest chance patterns stand out too."""


@dataclass(frozen=True)
class Importance:
    """`share` of the variation between trials, 0 to 1, in which the knob has a part; `spread` over the splits."""

    column: Column
    share: float
    spread: Interval

    @property
    def shown(self) -> bool:
        """Whether (nearly) every split says that the knob mattered."""
        return self.spread.lo > LEAST


@dataclass(frozen=True)
class Sensitivity:
    """The knobs, the most important one first; shares can add up to more than 1, for knobs act together.

    `explained` is the share of the variation between unseen trials that the forest explains: 1 less its squared error
    over that of the mean of the trials it has seen, so below 0 when it does worse than that; NaN where none was grown.
    `doubt` says why nothing can be told, empty where something can.
    """

    importances: tuple[Importance, ...]
    trials: int
    explained: float = math.nan
    doubt: str = ""

    @property
    def sentence(self) -> str:
        """What mattered, in words."""
        if self.doubt:
            return f"Which knobs mattered cannot be told: {self.doubt}."
        told = f"No knob is shown to matter by {self.trials} trials"
        shown = [one for one in self.importances if one.shown]
        if shown:
            first, *others = shown
            told = f"{first.column.name} has a part in {first.share:.0%} of what {self.trials} trials differ by"
            told += "".join(f", {one.column.name} in {one.share:.0%}" for one in others)
        hidden = [one.column.name for one in self.importances if not one.shown]
        return f"{told}. Not shown to matter: {listing(hidden)}." if hidden and shown else f"{told}."


def sensitivity(study: StudyResult, space: Space, splits: int = SPLITS) -> Sensitivity:
    """Which knobs mattered for the objective, over all COMPLETE trials, those over the SLO included.

    Knobs that never changed are left out. The trials are divided `splits` times; the same study gives the same answer.
    """
    table = tabulate([trial for trial in study.trials if _has_logarithm(trial)], space)
    varied = [index for index, column in enumerate(table.units.T) if len(np.unique(column[~np.isnan(column)])) > 1]
    columns = tuple(table.columns[index] for index in varied)
    figures = np.log([trial.score.value for trial in table.trials if trial.score])
    count = len(figures)
    if count < FEWEST:
        unknown = tuple(Importance(column, math.nan, Interval(math.nan, math.nan)) for column in columns)
        return Sensitivity(unknown, count, doubt=f"it takes {FEWEST} measured trials, and there are {count}")
    if not columns or np.ptp(figures) == 0:
        return Sensitivity((), count, doubt="the trials do not differ")
    shares, explained = _judge(table.units[:, varied], figures, splits)
    importances = [
        Importance(column, float(share.mean()), Interval(*map(float, np.percentile(share, SPREAD))))
        for column, share in zip(columns, shares.T, strict=True)
    ]
    ranked = tuple(sorted(importances, key=lambda one: -one.share))
    return Sensitivity(ranked, count, explained, _doubt(count, explained))


def _has_logarithm(trial: TrialResult) -> bool:
    return trial.status is Status.COMPLETE and trial.score is not None and 0 < trial.score.value < math.inf


def _doubt(count: int, explained: float) -> str:
    if explained >= EXPLAINED:
        return ""
    return (
        f"{count} trials are too few, or too noisy, for a model of them to foretell others "
        f"(it explains {max(explained, 0):.0%} of the differences, and {EXPLAINED:.0%} is the least)"
    )


def _judge(units: NDArray[np.float64], figures: NDArray[np.float64], splits: int) -> tuple[NDArray[np.float64], float]:
    """Shares (splits, knobs), and how much of the variation of unseen trials is explained."""
    # scikit-learn takes a second to import, which only the end of a study should pay for
    from sklearn.ensemble import ExtraTreesRegressor
    from sklearn.inspection import permutation_importance
    from sklearn.model_selection import ShuffleSplit

    rng = np.random.default_rng(0)
    count = min(len(figures), MOST)
    unseen_count = math.ceil(count * HELD_OUT)
    divide = ShuffleSplit(splits, test_size=unseen_count, train_size=count - unseen_count, random_state=0)
    variance = figures.var()
    shares, errors, naive = [], [], []
    for seed, (seen, unseen) in enumerate(divide.split(units)):
        knobs = _filled(units, rng)
        forest = ExtraTreesRegressor(TREES, random_state=seed).fit(knobs[seen], figures[seen])
        worse = permutation_importance(
            forest,
            knobs[unseen],
            figures[unseen],
            scoring="neg_mean_squared_error",
            n_repeats=SHUFFLES,
            random_state=seed,
        )
        shares.append(worse.importances_mean / 2 / variance)
        errors.append(np.mean((forest.predict(knobs[unseen]) - figures[unseen]) ** 2))
        naive.append(np.mean((figures[seen].mean() - figures[unseen]) ** 2))
    return np.array(shares), float(1 - np.mean(errors) / np.mean(naive))


def _filled(units: NDArray[np.float64], rng: Generator) -> NDArray[np.float64]:
    """Where a knob is not active, a value of those that are: a gap would tell the forest which branch it is in."""
    filled = units.copy()
    for column in filled.T:
        gaps = np.isnan(column)
        column[gaps] = rng.choice(column[~gaps], gaps.sum())
    return filled
