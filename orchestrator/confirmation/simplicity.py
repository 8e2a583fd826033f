"""Which of several configurations is the simplest: fewest replicas, smallest batches, shortest wait."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

from orchestrator.serve_config.settings import BATCH_WAIT, MAX_BATCH_SIZE, settings_of_each


class Simplicity(NamedTuple):
    """Of a Serve config, to be compared as a tuple: the smaller, the simpler. What the config does not say is 0."""

    replicas: float  # of all deployments; infinite where one of them scales by itself
    batch: float  # the largest that any of them may collect
    wait_s: float  # the longest that any of them waits for one


_WORDS = ("fewer replicas", "smaller batches", "a shorter wait")


def simplicity(serve_config: Mapping[str, Any]) -> Simplicity:
    """Of all applications of a Serve config."""
    applications = serve_config.get("applications", ())
    each = [settings for application in applications for settings in settings_of_each(application)]

    def most(option: str) -> float:
        return max((one.values[option] for one in each if option in one.values), default=0.0)

    replicas = sum(math.inf if math.isnan(one.replicas) else one.replicas for one in each)
    return Simplicity(replicas, most(MAX_BATCH_SIZE), most(BATCH_WAIT))


def simpler(one: Simplicity, other: Simplicity) -> str:
    """In what `one` is simpler than the other, in words; empty where it is not."""
    return next((word for word, a, b in zip(_WORDS, one, other, strict=True) if a != b), "") if one < other else ""
