"""How long runs of other lengths would take, derived from a measured one. Pure.

A run of n items over batches of b items takes until its first batch is there, the model's time for that batch, and for
every further item what an item took after that:

    T(n) = first + b × inference + (n - b) × (T(m) - first - b × inference) / (m - b)

with m the length of the run that was measured, and inference the model's time per item. It is exact for a run that is
held up by the model all the time, and for one that is held up by loading all the time; it says nothing of a run of no
more than one batch, nor of one that the memory of the machine holds and a longer one that it does not.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from orchestrator.result import Across, TrialResult
from orchestrator.robust import Standing, standings


@dataclass(frozen=True)
class Run:
    """The mean run of a trial: seconds until its end and until its first batch, and those of the model for an item."""

    items: float
    batch_size: float
    total_s: float
    first_s: float
    inference_s: float

    @classmethod
    def of(cls, trial: TrialResult, batch_size: float) -> Run | None:
        """From the parts of a trial's steps; None where it has none, or runs of a single batch."""
        names = ("part_first_batch_ms", "part_inference_ms")
        if trial.measurement is None or any(name not in trial.details for name in names):
            return None
        items, total_ms = trial.measurement.batch_size_mean, trial.measurement.latency_mean_ms
        if items <= batch_size:
            return None
        first_ms, inference_ms = (trial.details[name] for name in names)
        return cls(items, batch_size, total_ms / 1e3, first_ms / 1e3, inference_ms / 1e3 / items)

    def time_s(self, items: float) -> float:
        """That of a run of so many items; NaN for less than a batch."""
        if items < self.batch_size:
            return math.nan
        head_s = self.first_s + self.batch_size * self.inference_s
        return head_s + (items - self.batch_size) * (self.total_s - head_s) / (self.items - self.batch_size)


def runs_of(found: Across, batch_path: str) -> dict[str, dict[int, Run]]:
    """By value of the knob and number of the configuration: what can be derived from."""
    runs: dict[str, dict[int, Run]] = {}
    for value in found.values:
        runs[value] = {}
        for number, cell in found.cells[value].items():
            size = found.configurations[number].get(batch_path)
            run = Run.of(cell.trial, float(size)) if size is not None else None
            if run is not None:
                runs[value][number] = run
    return runs


def best_at(runs: Mapping[str, Mapping[int, Run]], items: float) -> tuple[dict[str, int], list[Standing[int]]]:
    """For runs of that length: the fastest configuration under each value, and all of them as compromises."""
    times = {
        value: {number: run.time_s(items) for number, run in of_it.items() if run.batch_size <= items}
        for value, of_it in runs.items()
    }
    if not all(times.values()):
        return {}, []
    return {value: min(of_it, key=of_it.__getitem__) for value, of_it in times.items()}, standings(times, False)


def pairs(runs: Sequence[Run]) -> list[tuple[Run, Run]]:
    """The shortest with each of the others, by their lengths."""
    shortest, *others = sorted(runs, key=lambda run: run.items)
    return [(shortest, other) for other in others]
