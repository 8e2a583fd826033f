"""What a study wants (its objective), what it may not break (its SLO), and how a measurement scores. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Annotated, Any

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    ModelWrapValidatorHandler,
    PrivateAttr,
    ValidationInfo,
    model_validator,
)

from orchestrator.measure.measurement import Measurement
from orchestrator.measure.verdict import Verdict, overall
from orchestrator.plain import found, is_number
from orchestrator.result import Score
from orchestrator.validation import unknown

MAXIMIZE = ("throughput_rps", "goodput_rps", "max_rate_rps")
MINIMIZE = (
    "latency_mean_ms",
    "latency_p50_ms",
    "latency_p90_ms",
    "latency_p95_ms",
    "latency_p99_ms",
    "latency_max_ms",
)

SMALLEST_ERROR_RATIO = 0.001
"""The least error limit that an excess is divided by, so that violations of a limit of 0 are graded too."""

SMALLEST_VIOLATION = 0.001
"""Of a limit that has failed though the figure keeps it."""

UNMEASURED_VIOLATION = 1 / SMALLEST_ERROR_RATIO
"""Violation of a figure that could not be measured: as bad as every request failing."""


def _positive(value: object, field: ValidationInfo) -> object:
    if value is not None and (not is_number(value) or value <= 0):  # type: ignore[operator]
        raise ValueError(f"{field.field_name} is {found(value)}, but takes a number of milliseconds above 0")
    return value


def _share(value: object, field: ValidationInfo) -> object:
    if value is not None and (not is_number(value) or not 0 <= value <= 1):  # type: ignore[operator]
        raise ValueError(f"{field.field_name} is {found(value)}, but takes a number from 0 to 1")
    return value


def _goal(value: object, field: ValidationInfo) -> bool:
    allowed = MAXIMIZE if field.field_name == "maximize" else MINIMIZE
    if value not in allowed:
        raise ValueError(unknown(f"figure to {field.field_name}", value, allowed))
    return True


Milliseconds = Annotated[float | None, BeforeValidator(_positive)]
Ratio = Annotated[float | None, BeforeValidator(_share)]
Goal = Annotated[bool, BeforeValidator(_goal)]


class Slo(BaseModel):
    """Limits that a configuration has to keep, themselves allowed; None where there is no limit."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    mean_ms: Milliseconds = None  # response times, in milliseconds
    p50_ms: Milliseconds = None
    p90_ms: Milliseconds = None
    p95_ms: Milliseconds = None
    p99_ms: Milliseconds = None
    max_ms: Milliseconds = None
    error_ratio: Ratio = None  # failed / scheduled requests

    def latency_limits_ms(self) -> dict[str, float]:
        """The limits on response times, by the field of `Measurement` that they limit."""
        return {f"latency_{key}": limit for key, limit in self if key.endswith("_ms") and limit is not None}

    def limits(self) -> dict[str, float]:
        """All limits, that on the share of errors too, by the field of `Measurement` that they limit."""
        errors = {} if self.error_ratio is None else {"error_ratio": self.error_ratio}
        return {**self.latency_limits_ms(), **errors}


class Objective(BaseModel):
    """What to make as large, or as small, as the SLO allows: `Objective(maximize="throughput_rps")`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    maximize: Goal = False  # given as the name of a figure, kept as the direction
    minimize: Goal = False
    _metric: str = PrivateAttr("")

    @model_validator(mode="wrap")
    @classmethod
    def _keep_the_name(cls, raw: Any, handler: ModelWrapValidatorHandler[Objective]) -> Objective:
        objective = handler(raw)
        if isinstance(raw, Objective):
            return objective
        if objective.maximize == objective.minimize:
            found = "both" if objective.maximize else "neither"
            raise ValueError(f"an objective is either {{maximize: ...}} or {{minimize: ...}}; found {found}")
        objective._metric = raw["maximize" if objective.maximize else "minimize"]
        return objective

    def __repr_args__(self) -> Iterable[tuple[str, str]]:
        yield ("maximize" if self.maximize else "minimize", self._metric)

    @property
    def metric(self) -> str:
        """Name of the figure, a field of `Measurement`."""
        return self._metric


def score(
    measurement: Measurement, slo: Slo, objective: Objective, verdicts: Mapping[str, Verdict] | None = None
) -> Score:
    """The objective's figure, by how much the SLO is violated, and whether the verdicts on its limits say so.

    The violation is the worst relative excess over a limit: measured / limit - 1, or 0 when all limits hold.
    An error ratio's excess is divided by SMALLEST_ERROR_RATIO at least. A figure that is needed but was not
    measured (NaN: no request succeeded) is a violation too, of UNMEASURED_VIOLATION. A limit that has failed is
    one of SMALLEST_VIOLATION at least: failed requests break a limit on a percentile, but are not in the figure.
    """
    found = overall(verdicts or {})
    value = float(getattr(measurement, objective.metric))
    excesses = [0.0, 0.0 if math.isfinite(value) else UNMEASURED_VIOLATION]
    for metric, limit in slo.latency_limits_ms().items():
        excesses.append(_excess(getattr(measurement, metric), limit, limit))
    if slo.error_ratio is not None:
        scale = max(slo.error_ratio, SMALLEST_ERROR_RATIO)
        excesses.append(_excess(measurement.error_ratio, slo.error_ratio, scale))
    if found is Verdict.FAIL:
        excesses.append(SMALLEST_VIOLATION)
    return Score(value=value, violation=max(excesses), shown=found is not Verdict.UNDECIDED)


def _excess(measured: float, limit: float, scale: float) -> float:
    return max((measured - limit) / scale, 0.0) if math.isfinite(measured) else UNMEASURED_VIOLATION
