"""From a space to a Ray Tune searcher: which configuration to measure next. The only file that touches hyperopt."""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import hyperopt
import numpy as np
from hyperopt import hp
from ray import cloudpickle
from ray.tune.search import Searcher
from ray.tune.search.hyperopt import HyperOptSearch

from orchestrator.plain import identity, text
from orchestrator.result import Configuration, Status
from orchestrator.space import Condition, Space, branch_prefix

RANDOM_SHARE = 0.25
"""Share of the trials that TPE draws at random before it trusts its model (the library's 20 would be all of them)."""

PATIENCE = 8
"""How often TPE may propose what is already known before a random new configuration takes its turn."""


def loss(status: Status, value: float | None, violation: float | None, maximize: bool) -> float:
    """One finite number to minimise, in three tiers that never overlap.

    Within the SLO: in (-0.72, 0.72), better values lower. SLO violated: in [1, 1.72), by the size of the violation,
    so that the search finds its way back. Not measured (failed, infeasible, invalid, no number): 3.
    TPE only ranks losses, so each tier is squeezed by asinh, a logarithm for both signs whose value at the
    largest float is 710; values that differ by a part in 10^12 still differ.
    """
    if status is not Status.COMPLETE or value is None or violation is None:
        return 3.0
    if violation > 0:
        return 1 + _squeezed(violation)
    if not math.isfinite(value):
        return 3.0
    return -_squeezed(value) if maximize else _squeezed(value)


def _squeezed(value: float) -> float:
    largest = sys.float_info.max
    return math.asinh(min(max(value, -largest), largest)) / 1000


class StudySearcher(Searcher):
    """Random search as a Ray Tune searcher, and the frame of the algorithms that learn.

    The first suggestion is the baseline, which need not lie in the space; then follow `trials` of the algorithm's.
    A configuration is not suggested twice as long as the space has others. A suggestion is
    {"number": int, "configuration": {path: value}}, 0 being the baseline; a result is
    {"status": str, "value": float | None, "violation": float | None}. None means: wait, `parallel` trials are out
    (Tune asks ahead, and would get an answer that ignores the trial being measured).
    """

    def __init__(
        self, space: Space, seed: int, trials: int, baseline: Configuration, maximize: bool, parallel: int
    ) -> None:
        super().__init__()
        self.space = space
        self.rng = np.random.default_rng(seed)
        self._trials = trials
        self._baseline = dict(baseline)
        self._maximize = maximize
        self._parallel = parallel
        self._given = 0
        self._out: dict[str, Configuration] = {}
        self._seen: set[str] = set()

    def suggest(self, trial_id: str) -> dict[str, Any] | str | None:
        """The next configuration; None when trials are out, `Searcher.FINISHED` when all have been given."""
        if self._given > self._trials:
            return Searcher.FINISHED
        if len(self._out) >= self._parallel:
            return None
        number = self._given
        configuration = self._propose(trial_id) if number else self._baseline
        if self.space.contains(configuration):
            self._seen.add(identity(configuration))
        self._given += 1
        self._out[trial_id] = configuration
        return {"number": number, "configuration": dict(configuration)}

    def on_trial_result(self, trial_id: str, result: Mapping[str, Any]) -> None:
        """Nothing: a trial reports once, at its end."""

    def on_trial_complete(
        self, trial_id: str, result: Mapping[str, Any] | None = None, error: bool = False
    ) -> None:
        """Learn from a trial that ended, however it ended; a trial that is not out is ignored."""
        if trial_id not in self._out:
            return
        configuration = self._out.pop(trial_id)
        result = result if result and not error else {}
        status = Status(result.get("status", Status.FAILED))
        if self.space.contains(configuration):
            self._learn(
                trial_id,
                configuration,
                loss(status, result.get("value"), result.get("violation"), self._maximize),
            )

    def save(self, checkpoint_path: str) -> None:
        """Write the whole state to a file."""
        Path(checkpoint_path).write_bytes(cloudpickle.dumps(self.__dict__))

    def restore(self, checkpoint_path: str) -> None:
        """Continue from a file that `save` wrote, with the trials that were out then."""
        self.__dict__.update(cloudpickle.loads(Path(checkpoint_path).read_bytes()))

    def _propose(self, trial_id: str) -> Configuration:
        """A configuration worth measuring. Ends, as every configuration has its chance."""
        while True:
            configuration = self.space.sample(self.rng)
            if self._is_worth_measuring(configuration):
                return configuration

    def _learn(self, trial_id: str, configuration: Configuration, loss: float) -> None:
        """Random search learns nothing."""

    def _is_worth_measuring(self, configuration: Configuration) -> bool:
        size = self.space.size()
        return (size is not None and len(self._seen) >= size) or identity(configuration) not in self._seen


class TpeSearcher(StudySearcher):
    """Tree-structured Parzen estimator, by Ray Tune's `HyperOptSearch` over unit coordinates.

    The library sees a proposal as infinitely bad until its loss is in, and forgets trials that failed or have
    no number: so every trial is given a finite loss.
    """

    FEED = False

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
        self.lossof = {}

    def _propose(self, trial_id: str) -> Configuration:
        for _ in range(PATIENCE):
            suggestion = self._library.suggest(trial_id)
            assert suggestion is not None
            configuration = self.space.configure(_coordinates(suggestion).__getitem__)
            if self._is_worth_measuring(configuration):
                self._proposed.add(trial_id)
                return configuration
            known = self.lossof.get(identity(configuration))
            if self.FEED and known is not None:
                self._library.on_trial_complete(trial_id, {"loss": known})
            else:
                self._library.on_trial_complete(trial_id, error=True)  # takes the repeat out of its memory
        return super()._propose(trial_id)

    def _learn(self, trial_id: str, configuration: Configuration, loss: float) -> None:
        self.lossof[identity(configuration)] = loss
        if trial_id in self._proposed:
            self._proposed.remove(trial_id)
            self._library.on_trial_complete(trial_id, {"loss": loss})
        else:
            self._insert(configuration, loss)

    def _insert(self, configuration: Configuration, loss: float) -> None:
        """Tell the library of a configuration that it did not propose."""
        library = self._library
        memory = library.get_state()["hyperopt_trials"]
        (tid,) = memory.new_trial_ids(1)
        point = {
            label: knob.encode(configuration[path]) if knob.ordinal else knob.index(configuration[path])
            for label, path, knob in self.space.active(configuration)
        }
        misc = {
            "tid": tid,
            "cmd": library.domain.cmd,
            "workdir": library.domain.workdir,
            "idxs": {label: [tid] if label in point else [] for label in library.domain.params},
            "vals": {label: [point[label]] if label in point else [] for label in library.domain.params},
        }
        docs = memory.new_trial_docs([tid], [None], [{"loss": loss, "status": hyperopt.STATUS_OK}], [misc])
        docs[0]["state"] = hyperopt.JOB_STATE_DONE
        memory.insert_trial_docs(docs)
        memory.refresh()


def _domain(space: Space, prefix: str = "") -> dict[str, Any]:
    """The space for hyperopt: ordered knobs as one real number in [0, 1], the others as a choice of coordinates."""
    domain: dict[str, Any] = {}
    for path, knob in space.knobs.items():
        label = prefix + path
        if isinstance(knob, Condition):
            branches = [
                {label: knob.encode(branch.value), **_domain(branch.space, branch_prefix(label, index))}
                for index, branch in enumerate(knob.branches)
            ]
            domain[label] = hp.choice(label, branches)
        elif knob.ordinal:
            domain[label] = hp.uniform(label, 0, 1)
        else:
            domain[label] = hp.choice(label, [knob.encode(value) for value in knob.listed()])
    return domain


def _coordinates(suggestion: Mapping[str, Any]) -> dict[str, float]:
    """{label: unit coordinate} from the library's nested answer; a branch repeats its condition's label inside."""
    flat: dict[str, float] = {}
    for label, value in suggestion.items():
        flat.update(_coordinates(value) if isinstance(value, Mapping) else {label: float(value)})
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

    `trials` counts the suggestions after the baseline. ValueError: an unknown algorithm, or nothing to search.
    """
    if algorithm not in _SEARCHERS:
        near = get_close_matches(str(algorithm), ALGORITHMS, n=1)
        hint = f" (did you mean {near[0]}?)" if near else ""
        raise ValueError(f"{text(algorithm)} is not an algorithm{hint}; allowed are {', '.join(ALGORITHMS)}")
    if not space.knobs and trials > 0:
        raise ValueError("the space has no knobs, so there is nothing to search; ask for 0 trials")
    return _SEARCHERS[algorithm](space, seed, trials, baseline, maximize, parallel)
