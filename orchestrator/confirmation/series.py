"""Which replication comes next: the best trials and the baseline in turn, back and forth."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import NamedTuple, TypeVar

from orchestrator.confirmation.room import is_shown, kept_always
from orchestrator.plain import identity
from orchestrator.result import Configuration, Score, Status

ATTEMPTS = 2
"""At a replication: what goes wrong once may be chance."""

SUBSTITUTES = 1
"""For each place: who else may take it."""

T = TypeVar("T")


@dataclass(frozen=True)
class Contender:
    """A trial that may be confirmed."""

    number: int
    configuration: Configuration
    score: Score


class Cell(NamedTuple):
    """One replication, from 0 on, of a trial; those of the same number have the same arrivals."""

    confirms: int
    replication: int


def line_up(contenders: Iterable[Contender], maximize: bool) -> list[Contender]:
    """The best first, each configuration once: those whose figures keep the SLO, or all where none does."""
    best_first = sorted(contenders, key=lambda one: (one.score.rank(maximize), one.number))
    distinct: dict[str, Contender] = {}
    for one in best_first:
        distinct.setdefault(identity(one.configuration), one)
    line = list(distinct.values())
    return [one for one in line if one.score.feasible] or line


def interleaved(candidates: Sequence[T], replications: Iterable[int]) -> Iterator[tuple[T, int]]:
    """A B C, C B A, A B C, …: who comes first, and may find the machine cooler, comes last the next time."""
    for replication in replications:
        for one in candidates if replication % 2 == 0 else reversed(candidates):
            yield one, replication


class Series:
    """Says which replication is next, and hears how each of them ended.

    The first `top` of the line and the baseline take part. A trial that breaks the SLO cannot win any more, and its
    place goes to the next in line that has kept it so far, as often as SUBSTITUTES allows; the baseline stays, for the
    gain is over it.

    After `replications` of each, those go on that may be the best but are not shown to keep the SLO, until they are, or
    break it, or there are `most` of each. It is over as soon as nobody is left who could win.
    """

    def __init__(
        self,
        line: Sequence[Contender],
        baseline: int | None,
        top: int,
        replications: int,
        most: int,
        maximize: bool,
    ) -> None:
        """`line` has the best first (`line_up`); `baseline` is None where there is none to measure."""
        next_in_line = [one.number for one in line[top : (1 + SUBSTITUTES) * top] if one.score.feasible]
        self._candidates = [one.number for one in line[:top]]
        self._substitutes = [number for number in next_in_line if number != baseline]
        self._baseline = baseline
        self._planned, self._further = range(replications), range(replications, most)
        self._maximize = maximize
        self._attempts: Counter[Cell] = Counter()
        self._ended: set[Cell] = set()
        self._scores: dict[int, list[Score]] = {}
        if baseline is not None and baseline not in self._candidates:
            self._candidates.append(baseline)
        self._compares = len(self._candidates) > 1

    @property
    def next(self) -> Cell | None:
        """The next replication, the same until its end is told; None when there is no more to compare."""
        if not self._compares or not any(map(self._may_win, self._candidates)):
            return None
        return self._open(self._candidates, self._planned) or self._open(self._in_doubt(), self._further)

    def tell(self, cell: Cell, status: Status, score: Score | None) -> None:
        """How a replication ended. One without figures to trust is repeated, and then given up."""
        self._attempts[cell] += 1
        measured = status is Status.COMPLETE
        if measured or self._attempts[cell] >= ATTEMPTS:
            self._ended.add(cell)
        if measured and score is not None:
            self._scores.setdefault(cell.confirms, []).append(score)
            if not score.feasible and cell.confirms != self._baseline:
                self._replace(cell.confirms)

    def _may_win(self, number: int) -> bool:
        """Whether it has kept the SLO so far."""
        return all(score.feasible for score in self._scores.get(number, ()))

    def _open(self, candidates: Sequence[int], replications: Iterable[int]) -> Cell | None:
        cells = (Cell(*turn) for turn in interleaved(candidates, replications))
        return next((cell for cell in cells if cell not in self._ended), None)

    def _in_doubt(self) -> list[int]:
        """Candidates that would win if they were shown to keep the SLO."""
        kept = [number for number in self._candidates if kept_always(self._scores.get(number, ()))]
        shown = [number for number in kept if is_shown(self._scores, number)]
        least = min(map(self._place, shown), default=math.inf)
        return [number for number in kept if number not in shown and self._place(number) < least]

    def _place(self, number: int) -> float:
        """The lower, the better by the objective."""
        value = fmean(score.value for score in self._scores[number])
        return -value if self._maximize else value

    def _replace(self, number: int) -> None:
        place = self._candidates.index(number)
        self._candidates[place : place + 1] = [self._substitutes.pop(0)] if self._substitutes else []
