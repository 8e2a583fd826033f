"""Starts truth servers and measures them with the command `orchestrator load`, as a user would: in processes."""

from __future__ import annotations

import json
import math
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

SERVER = Path(__file__).with_name("truth_server.py")
LOAD = [sys.executable, "-m", "orchestrator", "load"]
LONGEST_S = 120  # no load here takes nearly as long: a command that hangs ends the benchmark

Task = TypeVar("Task")
Outcome = TypeVar("Outcome")


@dataclass
class TruthServer:
    """A server that is running, and how late its answers were, once it has ended."""

    url: str
    lateness_ms: dict[str, float] = field(default_factory=dict)


@contextmanager
def truth_server(arguments: Sequence[str], *options: object) -> Iterator[TruthServer]:
    """A `truth_server.py` for as long as the block lasts; `arguments` as in `laws.Law.arguments`."""
    command = [sys.executable, str(SERVER), *arguments, *map(str, options)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            port = process.stdout.readline()
            if not port:
                raise SystemExit(f"the truth server did not start: {' '.join(command)}")
            server = TruthServer(f"http://127.0.0.1:{int(port)}/")
            yield server
            process.send_signal(signal.SIGTERM)
            server.lateness_ms.update(json.loads(process.stdout.readline()))
        finally:
            process.kill()


@dataclass(frozen=True)
class Figure:
    """A measured value and its 95 % interval; NaN where the command gave none."""

    value: float
    lo: float
    hi: float

    def holds(self, truth: float, late_by: float = 0.0) -> bool:
        """Whether the interval covers the truth, when measured values may be late by up to `late_by`."""
        return self.lo - late_by <= truth <= self.hi


@dataclass(frozen=True)
class Load:
    """What one `orchestrator load --json` said."""

    document: Mapping[str, object]

    def __getitem__(self, name: str) -> float:
        value = self.document.get(name)
        return math.nan if value is None else float(value)

    def figure(self, name: str) -> Figure:
        return Figure(self[name], self[f"{name}_lo"], self[f"{name}_hi"])

    @property
    def valid(self) -> bool:
        return bool(self.document["valid"])

    @property
    def reasons(self) -> str:
        return "; ".join(self.document["reasons"])


def load(url: str, **options: object) -> Load:
    """Measure `url`: `load(url, rate=200, arrivals="poisson", duration=20, seed=1, slo="p99=50ms")`."""
    flags = [text for name, value in options.items() for text in (f"--{name.replace('_', '-')}", str(value))]
    done = subprocess.run([*LOAD, url, "--json", *flags], capture_output=True, text=True, timeout=LONGEST_S)
    try:
        return Load(json.loads(done.stdout))
    except ValueError:
        raise SystemExit(f"orchestrator load {url} {' '.join(flags)}\n{done.stdout}{done.stderr}") from None


def load_as_trial(url: str, **options: object) -> Load:
    """The same, a second time and then for good if the first cannot be trusted, as a study does with a trial."""
    seen = load(url, **options)
    return seen if seen.valid else load(url, **options)


def side_by_side(run: Callable[[Task], Outcome], tasks: Iterable[Task], lanes: int) -> list[Outcome]:
    """`run` of every task, in the tasks' order; says on stderr how far it is.

    They go in waves of `lanes`, which begin together: the start of a command takes a second of CPU, and in a wave it
    falls into the warm-up of the others and not into their measuring time.
    """
    tasks = list(tasks)
    outcomes: list[Outcome] = []
    with ThreadPoolExecutor(lanes) as pool:
        for first in range(0, len(tasks), lanes):
            outcomes += pool.map(run, tasks[first : first + lanes])
            print(f"\r{len(outcomes)} of {len(tasks)} ", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    return outcomes
