"""The rules in order: the first that finds something speaks.

A rule that needs something unknown stays silent: every comparison with NaN is false.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from orchestrator.diagnosis import bottlenecks, misfits
from orchestrator.diagnosis.facts import Facts
from orchestrator.diagnosis.words import Finding


@dataclass(frozen=True)
class Diagnosis:
    """What limits the configuration (one of the names in `RULES`), in words with figures, and the knob to try next."""

    limit: str
    sentence: str
    knob: str | None = None


RULES: tuple[tuple[str, Callable[[Facts], Finding]], ...] = (
    # A setting that stands in the way comes first: it hides what would limit the configuration without it.
    ("router_backoff", misfits.router_backoff),
    ("batches_cannot_fill", misfits.small_limit),
    ("batches_cannot_fill", misfits.few_clients),
    ("batch_wait", misfits.wait_at_low_load),
    ("batches_cannot_fill", misfits.half_empty),
    ("cores", misfits.contended_cores),
    # Then what is used up, from the outside in.
    ("proxy", bottlenecks.ceiling),
    ("proxy", bottlenecks.proxy),
    ("replica", bottlenecks.replica_loop),
    ("compute", bottlenecks.full_batches),
    ("compute", bottlenecks.spare_cores),
    ("compute", bottlenecks.compute),
    ("application", bottlenecks.other_deployments),
    ("machine", bottlenecks.machine),
    ("network", bottlenecks.network),
    ("none", bottlenecks.largest_part),
    ("unknown", bottlenecks.unknown),
)


def diagnose(facts: Facts) -> Diagnosis:
    """What the first of `RULES` that applies says; the last one always does."""
    findings = ((limit, rule(facts)) for limit, rule in RULES)
    return next(Diagnosis(limit, *finding) for limit, finding in findings if finding is not None)
