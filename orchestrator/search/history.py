"""What a searcher knows: the trials that ended, in this study and in earlier ones, and those under way."""

from __future__ import annotations

import heapq
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from orchestrator.plain import identity
from orchestrator.result import Configuration, Status
from orchestrator.search.loss import NOT_MEASURED, distance, loss, squeezed_loss


@dataclass(frozen=True)
class Observation:
    """A configuration within the space, and what measuring it said.

    `loss` is the one number to minimise (see `orchestrator.search.loss`). `losses` has one for each objective, whatever
    the SLO says, None unless all were measured; `violation` is None without a measurement to trust. `distance` from the
    SLO is on a logarithmic scale, below 0 within it (see `orchestrator.search.loss`).
    """

    configuration: Configuration
    loss: float
    losses: tuple[float, ...] | None
    violation: float | None
    distance: float


def observe(configuration: Configuration, report: Mapping[str, Any], maximize: Sequence[bool]) -> Observation:
    """What `report` (see `orchestrator.backend.port.report`) says; a report that says nothing is a failed trial's."""
    status = Status(report.get("status", Status.FAILED))
    value, violation = report.get("value"), report.get("violation")
    measured = status is Status.COMPLETE and violation is not None and not math.isnan(violation)
    values = report.get("values") or [value]
    complete = measured and len(values) == len(maximize) and all(v is not None and math.isfinite(v) for v in values)
    return Observation(
        configuration=configuration,
        loss=loss(status, value, violation, maximize[0]),
        losses=tuple(map(squeezed_loss, values, maximize)) if complete else None,
        violation=violation if measured else None,
        distance=distance(violation if measured else None, report.get("excess")),
    )


class History:
    """Observations by their age, those of earlier studies first, and the configurations under way.

    An earlier study's figure counts until this study has measured the configuration itself.
    """

    def __init__(self) -> None:
        self._earlier: dict[str, Observation] = {}
        self._own: list[Observation] = []
        self._front: list[int] = []  # places of own ones: no other is as good in every objective
        self._under_way: dict[str, Configuration] = {}
        self._times: Counter[str] = Counter()

    def __contains__(self, key: str) -> bool:
        """Whether this study has measured, or is measuring, the configuration with the identity `key`."""
        return key in self._times

    def times(self, key: str) -> int:
        """How often that is."""
        return self._times[key]

    def __len__(self) -> int:
        """How many configurations that are."""
        return len(self._times)

    def inform(self, observation: Observation) -> None:
        """An earlier study's; of several of one configuration the last one counts."""
        self._earlier[identity(observation.configuration)] = observation

    def start(self, configuration: Configuration) -> None:
        """A configuration is going to be measured."""
        key = identity(configuration)
        self._times[key] += 1
        self._under_way[key] = configuration

    def finish(self, observation: Observation) -> None:
        """A configuration was measured, whether it was started or not."""
        key = identity(observation.configuration)
        if self._under_way.pop(key, None) is None:
            self._times[key] += 1
        self._keep_front(observation)
        self._own.append(observation)

    def under_way(self) -> Iterable[Configuration]:
        """What is being measured, or is going to be, oldest first."""
        return self._under_way.values()

    def recommended(self) -> Iterator[Configuration]:
        """The best configuration of earlier studies, the place to start, until this study measures it."""
        key = min(self._earlier, key=lambda key: self._earlier[key].loss, default=None)
        if key is not None and key not in self._times and self._earlier[key].loss < NOT_MEASURED:
            yield self._earlier[key].configuration

    def latest(self) -> Configuration | None:
        """What this study measured last, which is what is deployed now; None before there is any."""
        return self._own[-1].configuration if self._own else None

    def best(self) -> Observation | None:
        """The one with the least loss, the earliest of equals; None before there is any."""
        return min(self._all(), key=lambda observation: observation.loss, default=None)

    def measured(self) -> int:
        """How many measurements there are, those of earlier studies included."""
        return len(self._earlier) + len(self._own)

    def beginning(self, measured: int, most: int) -> list[Observation]:
        """The first `measured` observations, of which it is told the better and the later half of `most`."""
        return _better_and_later([*self._earlier.values(), *self._own][:measured], most)

    def selection(self, most: int) -> list[Observation]:
        """All observations by age; when they are more than `most`, the better and the later half of so many.

        What no other beats in all objectives is always among them.
        """
        everything = self._all()
        front = [len(everything) - len(self._own) + place for place in self._front]
        return _better_and_later(everything, most, front)

    def _all(self) -> list[Observation]:
        return [*(o for key, o in self._earlier.items() if key not in self._times), *self._own]

    def _keep_front(self, new: Observation) -> None:
        if new.losses is None or new.violation:
            return
        front = [(place, self._own[place]) for place in self._front]
        if not any(_as_good(other, new) for _, other in front):
            self._front = [*(place for place, other in front if not _as_good(new, other)), len(self._own)]


def _better_and_later(everything: list[Observation], most: int, always: Iterable[int] = ()) -> list[Observation]:
    if len(everything) <= most:
        return everything
    later = len(everything) - most // 2
    best = heapq.nsmallest(most // 2, range(later), key=lambda place: everything[place].loss)
    return [everything[place] for place in sorted({*best, *always, *range(later, len(everything))})]


def _as_good(one: Observation, other: Observation) -> bool:
    return all(mine <= theirs for mine, theirs in zip(one.losses or (), other.losses or (), strict=True))
