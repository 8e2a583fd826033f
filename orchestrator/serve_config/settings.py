"""The settings of a deployment that decide how it batches, and how many requests are at work at a time."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from orchestrator.serve_config.app import deployments

MAX_BATCH_SIZE, BATCH_WAIT, THREADS = "max_batch_size", "batch_wait_timeout_s", "intra_op_threads"
NUM_REPLICAS, MAX_ONGOING = "num_replicas", "max_ongoing_requests"
_ARG = "threads"
_SETTINGS = (MAX_BATCH_SIZE, BATCH_WAIT, THREADS, NUM_REPLICAS, MAX_ONGOING)


@dataclass(frozen=True)
class Settings:
    """The options of a deployment that matter here, and the paths of their knobs; an absent one is unknown."""

    values: Mapping[str, float] = field(default_factory=dict)
    paths: Mapping[str, str] = field(default_factory=dict)

    def __getitem__(self, option: str) -> float:
        """NaN for an option that is not known."""
        return self.values.get(option, math.nan)

    @property
    def replicas(self) -> float:
        """How many; one where the config does not say, as in Serve."""
        return self.values.get(NUM_REPLICAS, 1.0)

    def knob(self, option: str) -> str:
        """The option's path in the Serve config, or its name where the config does not have it."""
        return self.paths.get(option, option)


def settings_of(application: Mapping[str, Any]) -> Settings:
    """The settings of the first deployment that has a `max_batch_size`, or else of the first one."""
    found = settings_of_each(application)
    return next((one for one in found if MAX_BATCH_SIZE in one.values), found[0] if found else Settings())


def settings_of_each(application: Mapping[str, Any]) -> list[Settings]:
    """The settings of every deployment in a Serve application config, in its order.

    Those of the application itself are found by the last part of their keys, wherever they stand in `user_config`.
    """
    return [_with_threads(_options(entry, entry["name"]), application) for entry in deployments(application)]


def _options(entry: Mapping[str, Any], path: str) -> Settings:
    values: dict[str, float] = {}
    paths = {option: f"{path}.{option}" for option in (NUM_REPLICAS, MAX_ONGOING)}  # Serve's own have one place
    for option, value, place in _walk(entry, path):
        fits = option in _SETTINGS and place == paths.get(option, place)
        if fits and _is_number(value):
            values[option], paths[option] = float(value), place
    if entry.get("autoscaling_config") or entry.get(NUM_REPLICAS) == "auto":
        values[NUM_REPLICAS] = math.nan  # changes while it is measured
    return Settings(values, paths)


def _with_threads(settings: Settings, application: Mapping[str, Any]) -> Settings:
    """With the application's `args.threads`, where the deployment itself does not say how many a batch has."""
    args = application.get("args")
    threads = args.get(_ARG) if isinstance(args, Mapping) else None
    if THREADS in settings.values or not _is_number(threads):
        return settings
    return Settings({**settings.values, THREADS: float(threads)}, {**settings.paths, THREADS: f"args.{_ARG}"})  # type: ignore[arg-type]


def _walk(mapping: Mapping[str, Any], path: str) -> Iterator[tuple[str, Any, str]]:
    """(key, value, path) of everything in the mapping, its own level before those below."""
    for key, value in mapping.items():
        yield str(key), value, f"{path}.{key}"
    for key, value in mapping.items():
        if isinstance(value, Mapping):
            yield from _walk(value, f"{path}.{key}")


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
