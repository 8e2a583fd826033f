"""Tree-structured Parzen estimator. The only file that touches hyperopt."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, TypeGuard

import hyperopt
import numpy as np
from hyperopt import hp
from ray.tune.search.hyperopt import HyperOptSearch

from orchestrator.knob import Listed
from orchestrator.plain import identity
from orchestrator.result import Configuration
from orchestrator.search.frame import PATIENCE, StudySearcher
from orchestrator.space import Condition, Knob, Space, branch_prefix

RANDOM_SHARE = 0.15
"""Share of the trials that TPE draws at random before it trusts its model; the library says 20, often all."""


class TpeSearcher(StudySearcher):
    """Tree-structured Parzen estimator, by Ray Tune's `HyperOptSearch` over unit coordinates.

    The library takes a proposal for infinitely bad until it is measured, and forgets trials without a number,
    so every trial that ends gets a finite loss.
    """

    def __init__(
        self, space: Space, seed: int, trials: int, baseline: Configuration, maximize: bool, parallel: int
    ) -> None:
        super().__init__(space, seed, trials, baseline, maximize, parallel)
        self._library = HyperOptSearch(
            _domain(space),
            metric="loss",
            mode="min",
            n_initial_points=math.ceil(RANDOM_SHARE * trials),
            random_state_seed=int(np.random.SeedSequence(seed).generate_state(1)[0]),
        )
        self._proposed: set[str] = set()

    def _propose(self, trial_id: str) -> Configuration:
        for _ in range(PATIENCE):
            coordinates = _flat(self._library.suggest(trial_id) or {})
            configuration = self._space.configure(coordinates.__getitem__)
            if self._is_worth_measuring(configuration):
                self._proposed.add(trial_id)
                return configuration
            known = self._losses[identity(configuration)]
            # a repeat is answered with what is known, or struck from the library's memory while it is out
            self._library.on_trial_complete(trial_id, {"loss": known}, error=known is None)
        return super()._propose(trial_id)

    def _learn(self, trial_id: str, configuration: Configuration, measured: float) -> None:
        if trial_id in self._proposed:
            self._proposed.remove(trial_id)
            self._library.on_trial_complete(trial_id, {"loss": measured})
        else:
            self._insert(configuration, measured)

    def _insert(self, configuration: Configuration, measured: float) -> None:
        """Tell the library of a configuration that it did not propose: the baseline, or a random one."""
        library = self._library
        memory = library.get_state()["hyperopt_trials"]
        (tid,) = memory.new_trial_ids(1)
        point = {
            label: knob.index(configuration[path]) if _is_category(knob) else knob.encode(configuration[path])
            for label, path, knob in self._space.active(configuration)
        }
        misc = {
            "tid": tid,
            "cmd": library.domain.cmd,
            "workdir": library.domain.workdir,
            "idxs": {label: [tid] if label in point else [] for label in library.domain.params},
            "vals": {label: [point[label]] if label in point else [] for label in library.domain.params},
        }
        docs = memory.new_trial_docs([tid], [None], [{"loss": measured, "status": hyperopt.STATUS_OK}], [misc])
        docs[0]["state"] = hyperopt.JOB_STATE_DONE
        memory.insert_trial_docs(docs)
        memory.refresh()


def _domain(space: Space, prefix: str = "") -> dict[str, Any]:
    """The space for hyperopt: ordered knobs as a number in [0, 1], the others as a choice of coordinates."""
    domain: dict[str, Any] = {}
    for path, knob in space.knobs.items():
        label = prefix + path
        if isinstance(knob, Condition):
            branches = [
                {label: knob.encode(branch.value), **_domain(branch.space, branch_prefix(label, index))}
                for index, branch in enumerate(knob.branches)
            ]
            domain[label] = hp.choice(label, branches)
        elif _is_category(knob):
            domain[label] = hp.choice(label, [knob.encode(value) for value in knob.listed()])
        else:
            domain[label] = hp.uniform(label, 0, 1)
    return domain


def _is_category(knob: Knob) -> TypeGuard[Listed]:
    return isinstance(knob, Listed) and not knob.ordinal


def _flat(suggestion: Mapping[str, Any]) -> dict[str, float]:
    """{label: unit coordinate} from the library's nested answer; a branch repeats its condition's label."""
    flat: dict[str, float] = {}
    for label, value in suggestion.items():
        flat.update(_flat(value) if isinstance(value, Mapping) else {label: float(value)})
    return flat
