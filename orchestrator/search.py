"""From a space to a Ray Tune searcher: what to measure next. The only file that touches hyperopt."""

from __future__ import annotations

import copy
import math
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeGuard

import hyperopt
import numpy as np
from hyperopt import hp
from ray import cloudpickle
from ray.tune.search import Searcher
from ray.tune.search.hyperopt import HyperOptSearch

from orchestrator.knob import Listed
from orchestrator.plain import identity
from orchestrator.result import Configuration, Status
from orchestrator.space import Condition, Knob, Space, branch_prefix
from orchestrator.validation import unknown

RANDOM_SHARE = 0.15
"""Share of the trials that TPE draws at random before it trusts its model; the library says 20, often all."""

PATIENCE = 8
"""How often in a row TPE may propose what is known, before a random new configuration takes its turn."""

NOT_MEASURED = 3.0
"""Loss of a trial without a number to trust."""


def loss(status: Status, value: float | None, violation: float | None, maximize: bool) -> float:
    """One finite number to minimise, in three tiers that never overlap.

    Within the SLO: between -0.72 and 0.72, the better the lower. SLO violated: 1 to 1.72, growing with the
    violation, so that the search finds its way back. Failed, infeasible, invalid or without a number: 3.
    TPE only ranks losses, so a tier may squeeze: asinh, a logarithm for both signs, is 710 at the largest
    float and still tells values apart that differ by a part in 10^12.
    """
    if status is not Status.COMPLETE or value is None or violation is None or math.isnan(violation):
        return NOT_MEASURED
    if violation > 0:
        return 1 + _squeezed(violation)
    if not math.isfinite(value):
        return NOT_MEASURED
    return -_squeezed(value) if maximize else _squeezed(value)


def _squeezed(value: float) -> float:
    largest = sys.float_info.max
    return math.asinh(min(max(value, -largest), largest)) / 1000


class StudySearcher(Searcher):
    """Random search as a Ray Tune searcher, and the frame of the algorithms that learn.

    The baseline comes first, and need not lie in the space; then the algorithm suggests `trials` times, and
    nothing twice while the space has something new.

    A suggestion is {"number": int, "configuration": {path: value}}, number 0 being the baseline;
    a result is {"status": str, "value": float | None, "violation": float | None}.
    """

    def __init__(
        self, space: Space, seed: int, trials: int, baseline: Configuration, maximize: bool, parallel: int
    ) -> None:
        super().__init__()
        self._space = space
        self._rng = np.random.default_rng(seed)
        self._trials = trials
        self._baseline = copy.deepcopy(dict(baseline))
        self._maximize = maximize
        self._parallel = parallel
        self._given = 0
        self._out: dict[str, Configuration] = {}
        self._losses: dict[str, float | None] = {}  # by identity; None while its first trial is out

    def suggest(self, trial_id: str) -> dict[str, Any] | str | None:
        """The next configuration; None while `parallel` trials are out, FINISHED after the last one."""
        if self._given > self._trials:
            return Searcher.FINISHED
        if len(self._out) >= self._parallel:
            return None  # Tune asks ahead; an answer now would know nothing of the trials that are out
        number = self._given
        configuration = self._propose(trial_id) if number else self._baseline
        if self._space.contains(configuration):
            self._losses.setdefault(identity(configuration), None)
        self._given += 1
        self._out[trial_id] = configuration
        return {"number": number, "configuration": copy.deepcopy(configuration)}

    def on_trial_result(self, trial_id: str, result: Mapping[str, Any]) -> None:
        """Nothing: a trial reports once, at its end."""

    def on_trial_complete(self, trial_id: str, result: Mapping[str, Any] | None = None, error: bool = False) -> None:
        """Learn from a trial that ended, however it ended; a trial that is not out is ignored."""
        if trial_id not in self._out:
            return
        configuration = self._out.pop(trial_id)
        report = result if result and not error else {}
        status = Status(report.get("status", Status.FAILED))
        if self._space.contains(configuration):
            measured = loss(status, report.get("value"), report.get("violation"), self._maximize)
            self._losses[identity(configuration)] = measured
            self._learn(trial_id, configuration, measured)

    def save(self, checkpoint_path: str) -> None:
        """Write the whole state to a file."""
        Path(checkpoint_path).write_bytes(cloudpickle.dumps(self.__dict__))

    def restore(self, checkpoint_path: str) -> None:
        """Continue from a file that `save` wrote, with the trials that were out then."""
        self.__dict__.update(cloudpickle.loads(Path(checkpoint_path).read_bytes()))

    def _propose(self, trial_id: str) -> Configuration:  # noqa: ARG002 - for algorithms that remember it
        """A random configuration that is new; this ends, because every configuration has its chance."""
        while True:
            configuration = self._space.sample(self._rng)
            if self._is_worth_measuring(configuration):
                return configuration

    def _learn(self, trial_id: str, configuration: Configuration, measured: float) -> None:
        """Nothing, in random search; `measured` is the loss of a configuration within the space."""

    def _is_worth_measuring(self, configuration: Configuration) -> bool:
        size = self._space.size()
        exhausted = size is not None and len(self._losses) >= size
        return exhausted or identity(configuration) not in self._losses


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


_SEARCHERS = {"hyperopt": TpeSearcher, "random": StudySearcher}
ALGORITHMS = tuple(_SEARCHERS)
"""Names of the algorithms, as they stand in an experiment file."""


def make_searcher(
    space: Space,
    algorithm: str,
    seed: int,
    trials: int,
    baseline: Configuration,
    maximize: bool,
    parallel: int = 1,
) -> StudySearcher:
    """The searcher of a study; equal arguments and results give equal suggestions.

    `trials` counts the suggestions after the baseline. ValueError: unknown algorithm, or nothing to search.
    """
    if algorithm not in _SEARCHERS:
        raise ValueError(unknown("algorithm", algorithm, ALGORITHMS))
    if not space.knobs:
        raise ValueError("the space has no knobs, so there is nothing to search")
    return _SEARCHERS[algorithm](space, seed, trials, baseline, maximize, parallel)
