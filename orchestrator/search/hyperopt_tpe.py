"""The tree-structured Parzen estimator of hyperopt. The only file that touches that library."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, TypeGuard

import hyperopt
from hyperopt import hp, tpe
from numpy.random import Generator

from orchestrator.knob import Listed
from orchestrator.result import Configuration
from orchestrator.search.algorithm import PATIENCE, RANDOM_SHARE, Task
from orchestrator.search.history import History
from orchestrator.search.labels import labelled
from orchestrator.search.loss import NOT_MEASURED
from orchestrator.space import Condition, Knob, Space, branch_prefix

MOST = 500
"""How many trials the model is built from; its cost grows with them."""


class HyperoptTpe:
    """Tree-structured Parzen estimator (Bergstra et al., 2011) over unit coordinates.

    What is under way counts as bad, so that its neighbourhood is not proposed again at once.
    """

    batch = 1

    def __init__(self, task: Task, random_trials: int | None = None) -> None:
        """`random_trials` come before the model; a share of all where it is None."""
        self._space = task.space
        self._knobs = dict(labelled(task.space))
        self._domain = hyperopt.Domain(lambda point: point, _domain(task.space))
        self.random = random_trials or math.ceil(RANDOM_SHARE * task.trials)

    def proposals(self, history: History, rng: Generator) -> Iterator[Configuration]:
        """The best of earlier studies at first; then the model's, each answered as if it were bad."""
        yield from history.recommended()
        known = [(one.configuration, one.loss) for one in history.selection(MOST)]
        known += [(configuration, NOT_MEASURED) for configuration in history.under_way()]
        if len(known) < self.random:
            return
        docs = [self._document(tid, *one) for tid, one in enumerate(known)]
        for tid in range(len(docs), len(docs) + PATIENCE):
            memory = hyperopt.trials_from_docs(docs, validate=False)
            seed = int(rng.integers(2**31))
            (new,) = tpe.suggest([tid], self._domain, memory, seed, n_startup_jobs=0, verbose=False)
            configuration = self._configuration(new)
            yield configuration
            docs.append(self._document(tid, configuration, NOT_MEASURED))

    def _configuration(self, document: dict[str, Any]) -> Configuration:
        """The one that the library's document of a new trial stands for."""
        values = document["misc"]["vals"]

        def unit(label: str) -> float:
            knob, (value,) = self._knobs[label], values[label]
            return (value + 0.5) / len(knob.listed()) if _is_category(knob) else float(value)

        return self._space.configure(unit)

    def _document(self, tid: int, configuration: Configuration, loss: float) -> dict[str, Any]:
        """A finished trial as the library keeps it."""
        point = {
            label: knob.index(configuration[path]) if _is_category(knob) else knob.encode(configuration[path])
            for label, path, knob in self._space.active(configuration)
        }
        labels = self._domain.params
        return {
            "tid": tid,
            "spec": None,
            "state": hyperopt.JOB_STATE_DONE,
            "result": {"loss": loss, "status": hyperopt.STATUS_OK},
            "misc": {
                "tid": tid,
                "cmd": self._domain.cmd,
                "workdir": self._domain.workdir,
                "idxs": {label: [tid] if label in point else [] for label in labels},
                "vals": {label: [point[label]] if label in point else [] for label in labels},
            },
            "exp_key": None,
            "owner": None,
            "version": 0,
            "book_time": None,
            "refresh_time": None,
        }


def _domain(space: Space, prefix: str = "") -> dict[str, Any]:
    """The space for hyperopt: ordered knobs as a number in [0, 1], the others as the index of a value."""
    domain: dict[str, Any] = {}
    for path, knob in space.knobs.items():
        label = prefix + path
        if isinstance(knob, Condition):
            branches = [
                _domain(branch.space, branch_prefix(label, index)) for index, branch in enumerate(knob.branches)
            ]
            domain[label] = hp.choice(label, branches)
        elif _is_category(knob):
            domain[label] = hp.choice(label, list(range(len(knob.listed()))))
        else:
            domain[label] = hp.uniform(label, 0, 1)
    return domain


def _is_category(knob: Knob) -> TypeGuard[Listed]:
    return isinstance(knob, Listed) and not knob.ordinal
