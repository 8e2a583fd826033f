"""Which replication comes next: the best trials and the baseline in turn, back and forth."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

from orchestrator.plain import identity
from orchestrator.result import Configuration, Score, Status

ATTEMPTS = 2
"""At a replication: what goes wrong once may be chance."""

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


def interleaved(candidates: Sequence[T], replications: int) -> Iterator[tuple[T, int]]:
    """A B C, C B A, A B C, …: who comes first, and may find the machine cooler, comes last the next time."""
    for replication in range(replications):
        for one in candidates if replication % 2 == 0 else reversed(candidates):
            yield one, replication


class Series:
    """Says which replication is next, and hears how each of them ended.

    The first `top` of the line and the baseline take part. A trial that breaks the SLO cannot win any more, and its
    place goes to the next in line that has kept it so far, as often as there were places; the baseline stays, for the
    gain is over it.
    """

    def __init__(self, line: Sequence[Contender], baseline: int | None, top: int, replications: int) -> None:
        """`line` has the best first (`line_up`); `baseline` is None where there is none to measure."""
        next_in_line = [one.number for one in line[top : 2 * top] if one.score.feasible]
        self._candidates = [one.number for one in line[:top]]
        self._substitutes = [number for number in next_in_line if number != baseline]
        self._baseline = baseline
        self._replications = replications
        self._attempts: Counter[Cell] = Counter()
        self._ended: set[Cell] = set()
        if baseline is not None and baseline not in self._candidates:
            self._candidates.append(baseline)

    @property
    def next(self) -> Cell | None:
        """The next replication, the same until its end is told; None when there is no more to compare."""
        if len(self._candidates) < 2:
            return None
        cells = (Cell(*turn) for turn in interleaved(self._candidates, self._replications))
        return next((cell for cell in cells if cell not in self._ended), None)

    def tell(self, cell: Cell, status: Status, violation: float | None) -> None:
        """How a replication ended. One without figures to trust is repeated, and then given up."""
        self._attempts[cell] += 1
        measured = status is Status.COMPLETE
        if measured or self._attempts[cell] >= ATTEMPTS:
            self._ended.add(cell)
        if measured and violation and cell.confirms != self._baseline:
            self._replace(cell.confirms)

    def _replace(self, number: int) -> None:
        place = self._candidates.index(number)
        self._candidates[place : place + 1] = [self._substitutes.pop(0)] if self._substitutes else []
