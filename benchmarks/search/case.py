"""One task for the algorithms: a surface with or without a limit on its p99, what is best on it, and regret."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from benchmarks.search.replayed import Replayed
from benchmarks.search.surface import Surface
from benchmarks.search.truth import Truth, find_truth
from orchestrator.experiment import Experiment
from orchestrator.objective import Slo
from orchestrator.plain import identity
from orchestrator.pruning import Pruning
from orchestrator.result import Configuration, Status

P99 = "latency_p99_ms"
WITHIN_LIMIT = 0.4
"""Share of the configurations that a limit lets through: it excludes more than half."""


@dataclass(frozen=True)
class Case:
    """`experiment` has the SLO and the objective of the task; `replayed` answers its trials."""

    name: str
    experiment: Experiment
    replayed: Replayed

    @property
    def size(self) -> int:
        """Configurations of the surface."""
        return len(self.replayed.truth.values) + len(self.replayed.broken)

    def share_close(self, regret: float) -> float:
        """The share of the configurations with at most this regret."""
        return sum(self._regret(key) <= regret for key in self.replayed.truth.values) / self.size

    def keeps_slo(self, configuration: Configuration) -> bool:
        """Whether its true p99 keeps the limit."""
        return self._keeps_slo(identity(configuration))

    def regret(self, configuration: Configuration | None) -> float:
        """By what share its true figure is worse than the best within the SLO; infinite if it is not within itself."""
        return math.inf if configuration is None else self._regret(identity(configuration))

    def _keeps_slo(self, key: str) -> bool:
        true = self.replayed.truth.values.get(key)
        return true is not None and true[P99] <= p99_limit_ms(self.experiment)

    def _regret(self, key: str) -> float:
        if not self._keeps_slo(key):
            return math.inf
        return abs(self.optimum - self.replayed.truth.values[key][self.experiment.objective.metric]) / self.optimum

    @cached_property
    def optimum(self) -> float:
        """The best true figure within the SLO."""
        objective, true = self.experiment.objective, self.replayed.truth.values
        within = [true[key][objective.metric] for key in true if self._keeps_slo(key)]
        return max(within) if objective.maximize else min(within)


def pooled(surface: Surface, experiment: Experiment) -> Surface:
    """The surface with one configuration in place of all of the same effect, by the rules that prune.

    Of twenty that are alike the luckiest would be taken for the best, though a study measures one of them only.
    """
    canonical = Pruning(experiment, None, experiment.cluster.data_plane).canonical
    stand_ins = tuple(replace(one, configuration=canonical(one.configuration)) for one in surface.records)
    return replace(surface, records=stand_ins)


def _of_all(surface: Surface, pool: Surface, figures: list[str], experiment: Experiment, smooth: bool) -> Truth:
    """The truth of the pooled surface, told of each configuration of the surface itself."""
    truth = find_truth(pool, experiment.space, figures, smooth)
    stand_in = {
        identity(one.configuration): identity(other.configuration)
        for one, other in zip(surface.records, pool.records, strict=True)
        if one.status is Status.COMPLETE
    }
    return replace(truth, values={key: truth.values[of] for key, of in stand_in.items() if of in truth.values})


def p99_limit_ms(experiment: Experiment) -> float:
    """The SLO's limit on the p99; infinite where it has none."""
    return experiment.slo.latency_limits_ms().get(P99, math.inf)


def cases(surface: Surface, experiment: Experiment, smooth: bool = True, windows: int = 1) -> Iterator[Case]:
    """The surface without an SLO, and with one that more than half of it breaks; `windows` as in `Replayed`.

    ValueError when the surface lacks configurations of the experiment's space.
    """
    if len(surface.configurations()) != experiment.space.size():
        raise ValueError(
            f"the surface {surface.name} has {len(surface.configurations())} configurations, the space "
            f"{experiment.space.size()}: record the others first"
        )
    figures = dict.fromkeys((experiment.objective.metric, P99))
    truth = _of_all(surface, pooled(surface, experiment), list(figures), experiment, smooth)
    replayed = Replayed.of(surface, truth, windows)
    limit = float(np.quantile([true[P99] for true in truth.values.values()], WITHIN_LIMIT))
    yield Case(surface.name, experiment.model_copy(update={"slo": Slo()}), replayed)
    name = f"{surface.name}, p99 ≤ {limit:.3g} ms"
    yield Case(name, experiment.model_copy(update={"slo": Slo(p99_ms=limit)}), replayed)
