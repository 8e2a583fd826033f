"""Ctrl-C and SIGTERM end a study in good order."""

from __future__ import annotations

import signal
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class StopSignals:
    """Within this context the first signal raises KeyboardInterrupt; later ones only call `impatient`.

    The clean-up that the first one starts must not be cut short, or applications and processes stay behind.
    """

    def __init__(self, impatient: Callable[[], None]) -> None:
        self._impatient = impatient
        self._interrupted = False
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> StopSignals:
        self._before = {number: signal.getsignal(number) for number in SIGNALS}
        self.arm()
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def arm(self) -> None:
        """Takes the signals; to be called again after `ray.init`, which takes SIGTERM for itself."""
        for number in SIGNALS:
            signal.signal(number, self._interrupt)

    def _interrupt(self, number: int, frame: FrameType | None) -> None:
        del number, frame
        if self._interrupted:
            self._impatient()
            return
        self._interrupted = True
        raise KeyboardInterrupt("interrupted by the user")
