"""What `orchestrator.backend.port.report` says of a trial, read back."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from orchestrator.result import Score


def score_of(report: Mapping[str, Any]) -> Score | None:
    """None where it has no figures."""
    value, violation, excess = (report.get(key) for key in ("value", "violation", "excess"))
    if value is None or violation is None:
        return None
    return Score(
        value,
        violation,
        report.get("shown", True),
        values=tuple(report.get("values") or ()),
        half_widths=tuple(report.get("half_widths") or ()),
        excess=math.nan if excess is None else excess,
    )
