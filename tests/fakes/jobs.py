"""Stand-ins for what an offline trial needs: a process whose job takes exactly as long as a test says."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from orchestrator.measure.samples import Window
from orchestrator.measure.steps import Steps
from tests.fakes.trials import FakeClock


def steps_of(times_ms, items=1, parts=None) -> Steps:
    """Steps without a gap, as long as said; `items` of each, or of all of them."""
    rows, now = [], 0.0
    for place, took_ms in enumerate(times_ms):
        count = items if isinstance(items, int) else items[place]
        rows.append((now, now + took_ms / 1e3, count, parts or {}, None))
        now += took_ms / 1e3
    return Steps.of(rows)


@dataclass
class FakeBench:
    """Every step takes `step_s` of its number, and processes `items`; `errors` are raised where they are named."""

    clock: FakeClock = field(default_factory=FakeClock)
    step_s: Callable[[int], float] = lambda number: 0.01
    items: int = 8
    build_s: float = 0.5
    parts: Mapping[str, float] = field(default_factory=dict)
    accuracy: float | None = None
    machine: Mapping[str, float] = field(default_factory=dict)
    errors: Mapping[str, Exception] = field(default_factory=dict)
    done: list[str] = field(default_factory=list)
    """What was asked for, in order."""
    args: Mapping = field(default_factory=dict)
    number: int = 0
    """Of the next step."""

    def prepare(self, import_path: str, args: Mapping) -> None:
        self._asked("prepare")
        self.args = args

    def build(self, timeout_s: float) -> float:
        self._asked("build")
        if self.build_s > timeout_s:
            raise TimeoutError
        self.clock.now += self.build_s
        return self.build_s

    def steps(self, for_s: float, timeout_s: float) -> Steps:
        self._asked("steps")
        rows, began = [], self.clock.now
        while not rows or self.clock.now - began < for_s:
            took_s = self.step_s(self.number)
            if took_s > timeout_s:
                raise TimeoutError
            rows.append((self.clock.now, self.clock.now + took_s, self.items, self.parts, self.accuracy))
            self.clock.now += took_s
            self.number += 1
        return Steps.of(rows)

    def memory_mib(self) -> float:
        return 123.0

    def use(self, window: Window) -> Mapping[str, float]:
        return self.machine

    @contextmanager
    def started(self) -> Iterator[FakeBench]:
        self.done.append("start")
        try:
            yield self
        finally:
            self.done.append("end")

    def _asked(self, what: str) -> None:
        self.done.append(what)
        if what in self.errors:
            raise self.errors[what]
