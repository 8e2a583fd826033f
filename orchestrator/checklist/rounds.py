"""What is measured next: every candidate once, then those that may be worth it and the baseline in turn. Pure."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from orchestrator.checklist.arguments import control
from orchestrator.checklist.candidates import Candidate
from orchestrator.checklist.gains import Figures, is_out_of_reach, is_shown
from orchestrator.checklist.refusals import is_unknown
from orchestrator.result import BASELINE, Configuration, Score, Status

CLEAR_CONFIDENCE = 0.99
"""Of a single measurement that ends the interest in a candidate."""

ATTEMPTS = 2
"""At a candidate that gives no figures to trust."""


class Turn(NamedTuple):
    """Configuration `number` in round `round_`, both from 0 on; the first round's are the study's trials."""

    number: int
    round_: int


class Rounds:
    """Says whose turn it is, and hears how each ended.

    Number 0 is the baseline. Number 1 asks for an argument that no application takes, where candidates ask for some
    that the application may not take: if that is deployed without a word, nobody can tell what the application takes,
    and these candidates are left out. The others follow, once each; then back and forth, `replications` rounds in all,
    and up to `most` for those of which nothing was shown.

    A candidate leaves when it cannot be deployed, breaks an SLO that the baseline keeps, or is surely not worth it; and
    when another value of its argument was refused as the one that no application takes.
    """

    def __init__(
        self,
        candidates: Sequence[Candidate],
        maximize: bool,
        precision: float,
        replications: int = 3,
        most: int = 6,
    ) -> None:
        self.figures = Figures(maximize)
        self.control = 1 if any(one.asks for one in candidates) else None
        self._first = 1 if self.control is None else 2
        self.candidates: dict[int, Candidate] = {self._first + place: one for place, one in enumerate(candidates)}
        self._precision = precision
        self._replications, self._most = replications, most
        self._round = 0
        self._left: list[Turn] = [Turn(number, 0) for number in self._line()]
        self._out: set[int] = set()  # who has left
        self._refusal = ""  # of what no application takes
        self._failures: Counter[int] = Counter()
        self._kept: dict[int, list[bool]] = {}  # whether the SLO was, by number

    @property
    def configurations(self) -> Mapping[int, Configuration]:
        """What each number changes; the baseline nothing."""
        asked = {} if self.control is None else {self.control: control()}
        return {BASELINE: {}, **asked, **{number: one.changes for number, one in self.candidates.items()}}

    @property
    def next(self) -> Turn | None:
        """Whose turn it is, the same until its end is told; None when there is nothing more to find out."""
        while not self._left and (line := self._next_line()):
            self._round += 1
            self._left = [Turn(number, self._round) for number in line]
        return self._left[0] if self._left else None

    def tell(self, turn: Turn, status: Status, score: Score | None, why: str = "") -> None:
        """How a turn ended; `why` it came to nothing, if it did."""
        self._left.remove(turn)
        number = turn.number
        measured = status is Status.COMPLETE and score is not None
        if measured:
            self.figures.add(number, turn.round_, score.value, score.half_widths[0])  # type: ignore[union-attr]
            self._kept.setdefault(number, []).append(score.feasible)  # type: ignore[union-attr]
        else:
            self._failures[number] += 1
        if number == self.control:
            self._hear_of_control(status, why)
        elif not measured and (status is not Status.INVALID or self._failures[number] >= ATTEMPTS):
            self._leave(number)
            self._leave_with(number, why)

    def keeps_slo(self, number: int) -> bool:
        """Whether its figures did every time; also where it was not measured."""
        return all(self._kept.get(number, ()))

    def breaks_slo(self, number: int) -> bool:
        """Whether it breaks a promise that the baseline keeps."""
        return self.keeps_slo(BASELINE) and not self.keeps_slo(number)

    def _hear_of_control(self, status: Status, why: str) -> None:
        self._out.add(self.control or BASELINE)
        self._refusal = why
        if status in (Status.COMPLETE, Status.INVALID):
            for number, one in self.candidates.items():
                if one.asks:
                    self._leave(number)

    def _leave(self, number: int) -> None:
        """Without a baseline there is nothing to compare with, and all is over."""
        gone = self.configurations if number == BASELINE else {number}
        self._out.update(gone)
        self._left = [turn for turn in self._left if turn.number not in gone]

    def _leave_with(self, number: int, why: str) -> None:
        """Those who ask for the same argument, if it was the argument that was refused and not its value."""
        one = self.candidates.get(number)
        if one is not None and is_unknown(one, why, self._refusal):
            for other, sibling in self.candidates.items():
                if sibling.asks == one.asks:
                    self._leave(other)

    def _line(self) -> Iterator[int]:
        yield BASELINE
        yield from () if self.control is None else (self.control,)
        yield from self.candidates

    def _next_line(self) -> list[int]:
        """Back and forth: who comes first, and may find the machine cooler, comes last the next time."""
        if self._round + 1 >= self._most:
            return []
        going_on = [number for number in self.candidates if self._is_in(number)]
        if not going_on or BASELINE in self._out:
            return []
        line = [BASELINE, *going_on]
        return line if self._round % 2 else line[::-1]

    def _is_in(self, number: int) -> bool:
        if number in self._out or self.breaks_slo(number):
            return False
        if self._round == 0:
            clear = self.figures.gain(number, CLEAR_CONFIDENCE)
            return clear is None or not is_out_of_reach(clear, self._precision)
        gain = self.figures.gain(number)
        if gain is None or math.isnan(gain.hi):
            return True
        if is_out_of_reach(gain, self._precision):
            return False
        return self._round + 1 < self._replications or not is_shown(gain, self._precision)
