"""Configurations that are known beforehand, as a searcher: in their order, and one at a time."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from ray import cloudpickle
from ray.tune.search import Searcher

from orchestrator.result import Configuration


class ListedSearch(Searcher):
    """Suggests the given configurations, and none after `until`, on the clock `time.monotonic`."""

    pruned: ClassVar[Mapping[str, int]] = {}

    def __init__(self, configurations: Sequence[Configuration], until: float = math.inf) -> None:
        super().__init__()
        self._left = list(enumerate(configurations))
        self._until = until
        self._out = False

    def suggest(self, trial_id: str) -> dict[str, Any] | str | None:
        """The next one as {"number", "configuration"}; None for "not now", FINISHED after the last one."""
        del trial_id
        if self._out:
            return None
        if not self._left or time.monotonic() >= self._until:
            return Searcher.FINISHED
        self._out = True
        number, configuration = self._left.pop(0)
        return {"number": number, "configuration": dict(configuration)}

    def on_trial_result(self, trial_id: str, result: Mapping[str, Any]) -> None:
        """Nothing: a trial reports once, at its end."""

    def on_trial_complete(self, trial_id: str, result: Mapping[str, Any] | None = None, error: bool = False) -> None:
        """The next one may follow."""
        del trial_id, result, error
        self._out = False

    def save(self, checkpoint_path: str) -> None:
        """Write the whole state to a file."""
        Path(checkpoint_path).write_bytes(cloudpickle.dumps(self.__dict__))

    def restore(self, checkpoint_path: str) -> None:
        """Continue from a file that `save` wrote."""
        self.__dict__.update(cloudpickle.loads(Path(checkpoint_path).read_bytes()))
