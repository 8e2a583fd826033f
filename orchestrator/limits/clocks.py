"""The clocks of this machine's NVIDIA GPUs, locked through NVML, NVIDIA's management library.

Locked clocks hold for a whole GPU, whoever uses it, until they are reset; setting them takes root. They are hidden
behind the package nvidia-ml-py, which is imported only when a clock is to be set.
"""

from __future__ import annotations

import importlib
import math
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any


class ClockError(Exception):
    """The GPUs' clocks cannot be set here; the message says why."""


class Clocks:
    """Of all GPUs of this machine together; `nvml` is another in tests."""

    def __init__(self, nvml: Any = None) -> None:
        self._nvml = nvml

    def lock(self, mhz: float) -> None:
        """Every GPU runs at this clock from now on. ClockError if one cannot; then none is locked."""
        with self._gpus() as (nvml, gpus):
            if not gpus:
                raise ClockError("it has no NVIDIA GPU")
            try:
                for gpu in gpus:
                    nvml.nvmlDeviceSetGpuLockedClocks(gpu, round(mhz), round(mhz))
            except nvml.NVMLError as error:
                _reset(nvml, gpus)
                raise ClockError(f"NVML refuses a clock of {mhz:g} MHz: {_words(nvml, error)}") from error

    def reset(self) -> None:
        """The GPUs choose their clocks themselves again; where there are none, nothing happens."""
        with suppress(ClockError), self._gpus() as (nvml, gpus):
            _reset(nvml, gpus)

    def now(self) -> float:
        """MHz, mean over the GPUs; NaN where they do not tell."""
        with suppress(ClockError), self._gpus() as (nvml, gpus), suppress(nvml.NVMLError):
            found = [float(nvml.nvmlDeviceGetClockInfo(gpu, nvml.NVML_CLOCK_GRAPHICS)) for gpu in gpus]
            return sum(found) / len(found) if found else math.nan
        return math.nan

    @contextmanager
    def _gpus(self) -> Iterator[tuple[Any, list[Any]]]:
        """The library and the handles of all GPUs; ClockError without the library."""
        nvml = self._nvml or _library()
        try:
            nvml.nvmlInit()
        except nvml.NVMLError as error:
            raise ClockError(f"NVML does not start: {error}") from error
        try:
            try:
                gpus = [nvml.nvmlDeviceGetHandleByIndex(index) for index in range(nvml.nvmlDeviceGetCount())]
            except nvml.NVMLError as error:
                raise ClockError(f"NVML does not tell its GPUs: {error}") from error
            yield nvml, gpus
        finally:
            nvml.nvmlShutdown()


def _library() -> Any:
    try:
        return importlib.import_module("pynvml")
    except ImportError:
        raise ClockError("the package nvidia-ml-py is not installed (pip install nvidia-ml-py)") from None


def _reset(nvml: Any, gpus: list[Any]) -> None:
    for gpu in gpus:
        with suppress(nvml.NVMLError):  # it was not locked, or it may not be
            nvml.nvmlDeviceResetGpuLockedClocks(gpu)


def _words(nvml: Any, error: Any) -> str:
    permission = getattr(error, "value", None) == nvml.NVML_ERROR_NO_PERMISSION
    return f"{error} (Ray has to run as root for it)" if permission else str(error)
