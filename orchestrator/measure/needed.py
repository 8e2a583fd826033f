"""How many requests a question takes: with fewer there is no answer, however alike they are. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from orchestrator.measure.percentile import share_below, shown
from orchestrator.measure.stopping import LAST_CONFIDENCE
from orchestrator.measure.validity import FEWEST_SUCCESSES
from orchestrator.measure.verdict import ALWAYS, requests_needed, share_within


def needed(asked: Iterable[str], limits: Mapping[str, float]) -> dict[str, int]:
    """What is wanted, in words -> the fewest successes that it takes.

    `asked` are the figures that are to be known, `limits` those that are to be shown to keep a limit, by figure. A
    percentile can be trusted, and a limit be passed at the end of a load, with so many independent requests of which
    none is over it.
    """
    found = {"any figure": FEWEST_SUCCESSES}
    for figure in asked:
        if share := share_below(figure):
            found[f"the {shown(figure)} as an objective"] = requests_needed(0, share)
    for figure, limit in limits.items():
        if figure != "latency_mean_ms":
            share = share_within(figure, limit)
            count = requests_needed(0, ALWAYS if share == 1 else share, LAST_CONFIDENCE)
            found[f"to show that the SLO's {shown(figure)} is kept"] = count
    return found


def fewest(asked: Iterable[str], least: int) -> int:
    """Samples without which the percentiles among the figures that are asked for are not to be trusted, however alike
    the samples are; `least` if there are none."""
    shares = (share_below(figure) for figure in asked)
    return max([least, *(requests_needed(0, share) for share in shares if share)])
