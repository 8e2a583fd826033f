"""The section `load`: when requests are sent, by whom, and how many items each of them carries."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import Field, PlainValidator, ValidationInfo, field_validator, model_validator

from orchestrator.experiment.section import LARGEST_SEED, Section
from orchestrator.plain import found, is_number

KINDS = ("closed_loop", "open_loop", "max_rate")
"""The kinds of load; a file has exactly one."""


def _points(raw: object) -> tuple[tuple[float, float], ...]:
    """The points of a ramp; ValueError says what is wrong with which of them."""
    shape = "a ramp is a list of at least two points [seconds, req/s], such as [[0, 50], [10, 400]]"
    if not isinstance(raw, Sequence) or isinstance(raw, str) or len(raw) < 2:
        raise ValueError(f"{shape}; found {found(raw)}")
    points: list[tuple[float, float]] = []
    for point in raw:
        if not isinstance(point, Sequence) or len(point) != 2 or not all(map(is_number, point)):
            raise ValueError(f"{shape}; found the point {found(point)}")
        at_s, rate_rps = point
        if rate_rps < 0:
            raise ValueError(f"the point {found(point)} has a rate below 0")
        if not points and at_s != 0:
            raise ValueError(f"the first point is at 0 s, when the load starts; found {found(point)}")
        if points and at_s < points[-1][0]:
            raise ValueError(f"the point {found(point)} is earlier than the one before it")
        points.append((float(at_s), float(rate_rps)))
    if points[-1][0] == 0:
        raise ValueError("the last point, at which the load ends, is at 0 s")
    if not any(rate_rps for _, rate_rps in points):
        raise ValueError("every point has the rate 0: nothing would be sent")
    return tuple(points)


class ClosedLoop(Section):
    """A fixed number of clients, each of which waits for its reply, and for `think_time_s`, before it sends again."""

    concurrency: int = Field(ge=1)
    think_time_s: float = Field(default=0.0, ge=0)


class Steady(Section):
    """An open loop at one rate: at random, independently of each other (poisson), or evenly spaced (constant)."""

    arrivals: Literal["poisson", "constant"] = "poisson"
    rate_rps: float = Field(gt=0)


class Bursts(Section):
    """An open loop that sends for `on_s` and rests for `off_s`, at `rate_rps` on average over both."""

    arrivals: Literal["bursts"]
    rate_rps: float = Field(gt=0)
    on_s: float = Field(default=1.0, gt=0)
    off_s: float = Field(default=1.0, ge=0)


class Trace(Section):
    """An open loop that replays the arrivals of a file, which is relative to the experiment file, and then ends.

    At `speed` 2 they come twice as fast.
    """

    arrivals: Literal["trace"]
    trace: str = Field(min_length=1)
    speed: float = Field(default=1.0, gt=0)


class Ramp(Section):
    """An open loop whose rate runs in straight lines through points (seconds since the load started, req/s).

    Two points at one time make a step; the last point ends the load.
    """

    arrivals: Literal["ramp"]
    ramp: Annotated[tuple[tuple[float, float], ...], PlainValidator(_points)]


OpenLoop = Steady | Bursts | Trace | Ramp

ARRIVALS: dict[str, type[OpenLoop]] = {
    "poisson": Steady,
    "constant": Steady,
    "bursts": Bursts,
    "trace": Trace,
    "ramp": Ramp,
}
"""The kinds of arrivals of an open loop, by the name that stands in the file."""


class MaxRate(Section):
    """The highest rate at which the SLO holds is looked for, and found to within a share of `precision`.

    `start_rps` is the first rate that is tried, `highest_rps` one that is not exceeded; None leaves both to the
    search.
    """

    start_rps: float | None = Field(default=None, gt=0)
    highest_rps: float | None = Field(default=None, gt=0)
    precision: float = Field(default=0.05, gt=0, lt=1)
    arrivals: Literal["poisson", "constant"] = "poisson"

    @field_validator("highest_rps")
    @classmethod
    def _not_below_start(cls, value: float | None, info: ValidationInfo) -> float | None:
        start = info.data.get("start_rps")
        if value is not None and start is not None and value < start:
            raise ValueError(f"highest_rps ({value:g}) is below start_rps ({start:g})")
        return value


class Load(Section):
    """The load that every trial is put under: one of the three kinds, and who sends it.

    `clients` is the number of client processes, "auto" as many as the load needs; `placement` says where they
    run, seen from the trial's replicas. A request carries `items_per_request` items. An open loop opens at most
    `max_connections` connections, all clients together. `seed` is that of the arrivals.
    """

    closed_loop: ClosedLoop | None = None
    open_loop: OpenLoop | None = None
    max_rate: MaxRate | None = None
    clients: Literal["auto"] | Annotated[int, Field(ge=1)] = "auto"
    placement: Literal["same_node", "other_node"] = "same_node"
    items_per_request: int = Field(default=1, ge=1)
    max_connections: int = Field(default=1000, ge=1)
    seed: int = Field(default=0, ge=0, le=LARGEST_SEED)

    @model_validator(mode="after")
    def _one_kind(self) -> Load:
        if sum(getattr(self, kind) is not None for kind in KINDS) != 1:
            raise ValueError(f"a load is one of {', '.join(KINDS)}")
        return self

    def again(self, replication: int) -> Load:
        """The same with the arrivals of a replication, from 0 on: others than before, and alike for whoever has it."""
        return self.model_copy(update={"seed": (self.seed + 1 + replication) % (LARGEST_SEED + 1)})

    @property
    def kind(self) -> str:
        """Which of KINDS it is."""
        return next(kind for kind in KINDS if getattr(self, kind) is not None)

    @property
    def traffic(self) -> ClosedLoop | OpenLoop | MaxRate:
        """The kind's own values."""
        traffic: Any = getattr(self, self.kind)
        return traffic
