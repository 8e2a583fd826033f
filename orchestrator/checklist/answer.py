"""An answer to an item, and what came of a configuration that was tried for it: values."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum

from orchestrator.checklist.candidates import Candidate
from orchestrator.checklist.items import Item, Kind
from orchestrator.result import Configuration, Ratio


class End(str, Enum):
    """What came of trying a configuration."""

    GAIN = "gain"  # better by more than the precision, within the SLO
    NO_GAIN = "no gain"  # no better by more than a little
    OPEN = "open"  # neither was shown
    BREAKS = "breaks the SLO"  # which the baseline keeps
    REFUSED = "refused"  # the application takes no such argument
    UNAVAILABLE = "unavailable"  # it takes the argument, but says that it cannot have this value
    BROKEN = "broken"  # it could not be deployed or measured for another reason
    SKIPPED = "skipped"  # not tried, for a reason

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True)
class Tried:
    """What came of a candidate: `gain` over the baseline with its 95 % interval, more being better; None unmeasured.

    `measured` is how many times it was; `mends`: it keeps the SLO, which the baseline does not. `accuracy` is what the
    application says of it, NaN where it does not; `trial` its number in the study.
    """

    candidate: Candidate
    end: End
    gain: Ratio | None = None
    measured: int = 0
    why: str = ""
    mends: bool = False
    accuracy: float = math.nan
    trial: int | None = None


@dataclass(frozen=True)
class Answer:
    """To one item: `change` is what to set for the `gain`, `figures` what the finding rests on, by name."""

    item: Item
    kind: Kind
    finding: str
    figures: Mapping[str, float] = field(default_factory=dict)
    tried: Sequence[Tried] = ()
    change: Configuration = field(default_factory=dict)
    gain: Ratio | None = None
    mends: bool = False  # the change keeps the SLO, which the baseline does not

    def __post_init__(self) -> None:
        if (self.kind is Kind.GAIN) != (self.gain is not None and bool(self.change)):
            raise ValueError("a gain has a figure and says what to set; nothing else does")


def ranked(answers: Sequence[Answer]) -> list[Answer]:
    """What to do first: what mends a broken SLO, gains by the lower ends of their intervals, what is to be decided."""
    gains = [answer for answer in answers if answer.gain is not None]
    gains.sort(key=lambda answer: (not answer.mends, -answer.gain.lo))  # type: ignore[union-attr]  # chosen for it
    return [*gains, *(answer for answer in answers if answer.kind is Kind.DECIDE)]
