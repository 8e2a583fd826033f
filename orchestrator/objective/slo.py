"""The section `slo`: the limits that a configuration has to keep."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, model_validator

from orchestrator.measure import percentile
from orchestrator.plain import found, is_number
from orchestrator.validation import Finding, show, unknown

KEYS = ("mean_ms", "p50_ms", "p90_ms", "p95_ms", "p99_ms", "max_ms", "error_ratio", "min_accuracy")
"""And any other percentile."""

MIN_ACCURACY = "min_accuracy"
_SHARES = ("error_ratio", MIN_ACCURACY)
_LATENCY = re.compile(rf"(?:mean|max|({percentile.WRITTEN}))_ms")


class Slo(BaseModel):
    """Limits that a configuration has to keep, themselves allowed: `Slo(p99_ms=50, error_ratio=0.001)`.

    Response times are in milliseconds, `error_ratio` is failed / scheduled requests. They are kept by the figure of
    `Measurement` that they are set to. `min_accuracy` is the least accuracy that the application's answers may tell.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    by_figure: Mapping[str, float] = {}
    min_accuracy: float | None = None

    @model_validator(mode="before")
    @classmethod
    def _from_the_files_keys(cls, raw: Any) -> Any:
        if not isinstance(raw, Mapping):
            return raw
        by_figure, findings = _limits(raw)
        if findings:
            raise ValueError(findings[0][1])
        return {"min_accuracy": by_figure.pop(MIN_ACCURACY, None), "by_figure": by_figure}

    def limits(self) -> dict[str, float]:
        """What figures of the measurement may be at most, by figure."""
        return dict(self.by_figure)

    def latency_limits_ms(self) -> dict[str, float]:
        """Those on response times, by figure."""
        return {figure: limit for figure, limit in self.by_figure.items() if figure != "error_ratio"}


def read_slo(raw: Any) -> tuple[Slo | None, list[Finding]]:
    """The section (None if anything is wrong), and all that is wrong with it."""
    if not isinstance(raw, Mapping):
        return None, [((), f"expected a mapping with the keys {', '.join(KEYS)}; found {show(raw)}")]
    _, findings = _limits(raw)
    return (None if findings else Slo(**raw)), findings


def _limits(raw: Mapping[Any, Any]) -> tuple[dict[str, float], list[Finding]]:
    """The limits by figure; null is no limit."""
    by_figure: dict[str, float] = {}
    findings: list[Finding] = []
    for key, value in raw.items():
        try:
            figure = _figure(key)
            if figure in by_figure:
                raise ValueError(f"{key} has a limit already, by another way to write it")
            if value is not None:
                by_figure[figure] = _limit(key, value)
        except ValueError as error:
            findings.append(((key,), str(error)))
    return by_figure, findings


def _figure(key: Any) -> str:
    if key in _SHARES:
        return str(key)
    if not isinstance(key, str) or not (latency := _LATENCY.fullmatch(key)):
        raise ValueError(unknown("key", key, KEYS) + ", and any other percentile, such as p99.9_ms")
    return f"latency_{percentile.digits(latency[1])}_ms" if latency[1] else f"latency_{key}"


def _limit(key: str, value: object) -> float:
    if key in _SHARES:
        if not is_number(value) or not 0 <= value <= 1:  # type: ignore[operator]
            raise ValueError(f"{key} is {found(value)}, but takes a number from 0 to 1")
    elif not is_number(value) or value <= 0:  # type: ignore[operator]
        raise ValueError(f"{key} is {found(value)}, but takes a number of milliseconds above 0")
    return float(value)  # type: ignore[arg-type]
