"""How good a compromise configurations are, as strict JSON values. Pure."""

from __future__ import annotations

from typing import Any

from orchestrator.document.plain import to_json
from orchestrator.result import Across
from orchestrator.robust import Standing


def standing_document(found: Standing[int], key: str) -> dict[str, Any]:
    """Regrets as shares, null where the configuration, whose number stands at `key`, breaks the SLO."""
    return {
        key: found.configuration,
        "regret": to_json(dict(found.regrets)),
        "regret_mean": to_json(found.mean_regret),
        "regret_worst": to_json(found.worst_regret),
        "top": found.top,
    }


def across_document(found: Across) -> dict[str, Any]:
    """What one configuration for all values of a knob comes to; configurations are told by their place in the list."""
    robust = found.robust
    return {
        "knob": found.knob,
        "values": list(found.values),
        "configurations": to_json(found.configurations),
        "best": {value: found.best(value) for value in found.values},
        "standings": [standing_document(one, "configuration") for one in found.standings],
        "robust": standing_document(robust, "configuration") if robust is not None else None,
    }
