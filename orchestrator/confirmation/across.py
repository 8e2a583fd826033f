"""Who is measured again where one configuration is to be found for all values of a knob."""

from __future__ import annotations

import math
from collections.abc import Sequence

from orchestrator.confirmation.series import Contender
from orchestrator.plain import identity
from orchestrator.result import without
from orchestrator.robust import standings


def line_up_across(contenders: Sequence[Contender], knob: str, top: int, maximize: bool) -> list[Contender]:
    """The trials of the `top` best compromises under every value of the knob; nobody where there is no compromise."""
    found: dict[str, dict[str, Contender]] = {}
    for one in contenders:
        if knob in one.configuration:
            value, rest = without(one.configuration, knob)
            found.setdefault(identity(value), {}).setdefault(identity(rest), one)
    figures = {
        value: {key: one.score.value if one.score.feasible else None for key, one in of_it.items()}
        for value, of_it in found.items()
    }
    best = [one.configuration for one in standings(figures, maximize) if math.isfinite(one.mean_regret)]
    return [of_it[key] for of_it in found.values() for key in best[:top]]
