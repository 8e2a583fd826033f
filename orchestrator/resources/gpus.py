"""Utilisation and memory of NVIDIA GPUs, as one long-lived `nvidia-smi` tells them."""

from __future__ import annotations

import math
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterable
from typing import NamedTuple

QUERY = ("--query-gpu=index,utilization.gpu,memory.used", "--format=csv,noheader,nounits", "-lms", "500")

STOP_DEADLINE_S = 5.0


class Reading(NamedTuple):
    """One line of `nvidia-smi`; NaN for what the GPU does not tell."""

    at_s: float
    gpu: int
    busy_share: float
    memory_mib: float


class Gpus:
    """Reads in a thread until `close`; without `nvidia-smi` nothing is read. Times are readings of `clock`."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._readings: list[Reading] = []
        self._process: subprocess.Popen[str] | None = None
        command = shutil.which("nvidia-smi")
        if command:
            try:
                self._process = subprocess.Popen(
                    [command, *QUERY],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.DEVNULL,
                    text=True,
                )
            except OSError:
                return
            self._thread = threading.Thread(target=self._read, args=(self._process.stdout,), name="gpus", daemon=True)
            self._thread.start()

    def use(self, start: float, end: float) -> tuple[float, float]:
        """(busy share, mean over GPUs; largest memory in MiB, sum over GPUs) from `start` to `end`; NaN for unknown."""
        within = [reading for reading in list(self._readings) if start <= reading.at_s <= end]
        busy = [reading.busy_share for reading in within if not math.isnan(reading.busy_share)]
        memory: dict[int, float] = {}
        for reading in within:
            if not math.isnan(reading.memory_mib):
                memory[reading.gpu] = max(reading.memory_mib, memory.get(reading.gpu, 0.0))
        return sum(busy) / len(busy) if busy else math.nan, sum(memory.values()) if memory else math.nan

    def close(self) -> None:
        """Ends `nvidia-smi`, and waits until it has."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(STOP_DEADLINE_S)
        except subprocess.TimeoutExpired:  # a driver that hangs holds it in the kernel
            self._process.kill()
        self._thread.join(STOP_DEADLINE_S)
        if self._process.stdout is not None and not self._thread.is_alive():
            self._process.stdout.close()

    def _read(self, lines: Iterable[str]) -> None:
        for line in lines:
            reading = parse(line, self._clock())
            if reading is not None:
                self._readings.append(reading)


def parse(line: str, at_s: float) -> Reading | None:
    """`0, 87, 1024`: index, per cent, MiB; None for a line that is no reading, such as an error message."""
    gpu, *rest = (word.strip() for word in line.split(","))
    if not gpu.isdigit() or len(rest) != 2:
        return None
    busy, memory = (_number(word) for word in rest)
    return Reading(at_s, int(gpu), busy / 100, memory)


def _number(word: str) -> float:
    """NaN for `[N/A]` and the like."""
    try:
        return float(word)
    except ValueError:
        return math.nan
