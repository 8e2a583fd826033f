"""The section `objective`: one figure to make as large or as small as the SLO allows, or several."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationInfo, model_validator

from orchestrator.measure import percentile
from orchestrator.objective.cost import COST_PER_MILLION
from orchestrator.result import Objective
from orchestrator.validation import Finding, unknown, validate

ITEMS_PER_S = "items_per_s"
MAXIMIZE = ("throughput_rps", ITEMS_PER_S, "goodput_rps", "max_rate_rps")
MINIMIZE = (
    "latency_mean_ms",
    "latency_p50_ms",
    "latency_p90_ms",
    "latency_p95_ms",
    "latency_p99_ms",
    "latency_max_ms",
    COST_PER_MILLION,
)
"""And any other percentile."""

_PERCENTILE = re.compile(rf"latency_({percentile.WRITTEN})_ms")


def _figure(value: object, field: ValidationInfo) -> str:
    """The figure by the name that it has everywhere else."""
    minimized = field.field_name == "minimize"
    if minimized and isinstance(value, str) and (written := _PERCENTILE.fullmatch(value)):
        return f"latency_{percentile.digits(written[1])}_ms"
    allowed = MINIMIZE if minimized else MAXIMIZE
    if isinstance(value, str) and value in allowed:
        return value
    others = ", and any other percentile, such as latency_p99.9_ms" if minimized else ""
    raise ValueError(unknown(f"figure to {field.field_name}", value, allowed) + others)


Figure = Annotated[str | None, BeforeValidator(_figure)]


class _Stated(BaseModel):
    """One objective as it stands in the file."""

    model_config = ConfigDict(extra="forbid")

    maximize: Figure = None
    minimize: Figure = None

    @model_validator(mode="after")
    def _one_direction(self) -> _Stated:
        if (self.maximize is None) == (self.minimize is None):
            given = "neither" if self.maximize is None else "both"
            raise ValueError(f"an objective is either {{maximize: ...}} or {{minimize: ...}}; found {given}")
        return self


def read_objectives(raw: Any) -> tuple[tuple[Objective, ...] | None, list[Finding]]:
    """The objectives in the file's order (None if anything is wrong), and all that is wrong with them.

    `raw` is a mapping {maximize: figure} or {minimize: figure}, or a list of such.
    """
    if not isinstance(raw, list):
        objective, findings = _read(raw)
        return (None if objective is None else (objective,)), findings
    if not raw:
        return None, [((), "expected one objective at least, such as {maximize: throughput_rps}; found an empty list")]
    objectives: dict[str, Objective] = {}
    all_findings: list[Finding] = []
    for index, item in enumerate(raw):
        objective, findings = _read(item)
        if objective is not None and objective.metric in objectives:
            findings = [((objective.direction,), f"{objective.metric} is an objective already")]
        elif objective is not None:
            objectives[objective.metric] = objective
        all_findings += [((index, *path), sentence) for path, sentence in findings]
    return (None if all_findings else tuple(objectives.values())), all_findings


def _read(raw: Any) -> tuple[Objective | None, list[Finding]]:
    stated, findings = validate(_Stated, raw)
    if stated is None:
        return None, findings
    return Objective(stated.maximize or stated.minimize or "", maximize=stated.maximize is not None), []
