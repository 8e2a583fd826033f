"""The phases of running trials, as a display asks for them from a thread of its own."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from types import TracebackType


class Phases:
    """{running trial: (phase, seconds it has lasted)} while the context lasts, and nothing after it.

    A call to an actor once Ray is shut down would not fail, but start another cluster. Therefore the end of the
    context waits for a call that is under way.
    """

    def __init__(self, ask: Callable[[], dict[int, tuple[str, float]]]) -> None:
        self._ask: Callable[[], dict[int, tuple[str, float]]] = ask
        self._lock = Lock()

    def __call__(self) -> dict[int, tuple[str, float]]:
        """See the class."""
        with self._lock:
            return self._ask()

    def __enter__(self) -> Phases:
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        with self._lock:
            self._ask = dict
