"""How much of a space is pruned, and why: counted where it is small, estimated from random draws where it is not."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from orchestrator.knob import Listed
from orchestrator.pruning.rules import Pruning
from orchestrator.result import Configuration
from orchestrator.space import Condition, Knob, Space

COUNTED = 10_000
"""The largest space that is counted; it takes a second or two."""

DRAWS = 2_000
"""From so many the share is known to ±2 percentage points (95 %, at worst)."""


@dataclass(frozen=True)
class Case:
    """How many configurations are pruned for one reason, and what speaks against the first of them."""

    count: int
    example: str


@dataclass(frozen=True)
class Census:
    """What was found among `seen` configurations: all of the space if `exact`, else random ones. By reason."""

    seen: int
    exact: bool
    cases: Mapping[str, Case] = field(default_factory=dict)

    @property
    def pruned(self) -> int:
        """How many are pruned, duplicates among them; each is counted once, by the first reason that was found."""
        return sum(case.count for case in self.cases.values())


def census(pruning: Pruning, seed: int = 0) -> Census:
    """What the rules leave out of their experiment's space; duplicates are all but one of those that are equal."""
    space = pruning.experiment.space
    size = space.size()
    if size is not None and size <= COUNTED:
        return Census(size, True, _cases(pruning, every(space)))
    rng = np.random.default_rng(seed)
    return Census(DRAWS, False, _cases(pruning, (space.sample(rng) for _ in range(DRAWS))))


def _cases(pruning: Pruning, configurations: Iterable[Configuration]) -> dict[str, Case]:
    cases: dict[str, Case] = {}
    for configuration in configurations:
        finding = pruning.finding(configuration)
        if finding is not None:
            known = cases.get(finding.reason, Case(0, finding.sentence))
            cases[finding.reason] = Case(known.count + 1, known.example)
    return cases


def every(space: Space) -> Iterator[Configuration]:
    """All configurations of a finite space, the last knob changing fastest."""
    options = [list(_options(path, knob)) for path, knob in space.knobs.items()]
    for combination in itertools.product(*options):
        yield {path: value for part in combination for path, value in part.items()}


def _options(path: str, knob: Knob) -> Iterator[dict[str, Any]]:
    """The values of one knob, those of a condition with all configurations of their branches."""
    if isinstance(knob, Condition):
        for branch in knob.branches:
            yield from ({path: branch.value, **inner} for inner in every(branch.space))
    elif isinstance(knob, Listed):
        yield from ({path: value} for value in knob.listed())
    elif knob.whole:
        yield from ({path: value} for value in range(int(knob.low), int(knob.high) + 1))
    else:
        yield {path: knob.decode(0)}  # finite, so that both ends are one
