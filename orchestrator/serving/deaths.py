"""Why a replica died while it started, as far as Ray's words in Serve's status tell. Pure."""

from __future__ import annotations

import re
from enum import Enum

_LOW = re.compile(r"running low on memory")
_USED = re.compile(r"was ([\d.]+)GB used / ([\d.]+)GB limit")
_REFUSED = re.compile(r"^\s*[\w.]*MemoryError\b", re.MULTILINE)
_DIED = re.compile(r"\bActorDiedError\b|\bWorkerCrashedError\b")


class Death(Enum):
    """What the end of a replica was: for want of memory, or without a word, as a kill of the kernel's is."""

    MEMORY = "memory"
    SILENT = "silent"


def death(message: str) -> Death | None:
    """What a status message says of a replica that did not start; None where its own code raised, or it lives."""
    if _LOW.search(message) or _REFUSED.search(message):
        return Death.MEMORY
    return Death.SILENT if _DIED.search(message) else None


def told(message: str) -> str | None:
    """The death in one sentence; None where the message says it best itself."""
    if _LOW.search(message):
        used = _USED.search(message)
        how_much = f" ({float(used[1]):g} of {float(used[2]):g} GB were used)" if used else ""
        return f"Ray's memory monitor killed a replica while it started: the node ran low on memory{how_much}"
    if death(message) is Death.SILENT:
        return "the process of a replica died while it started, and Ray was not told why; its log may say more"
    return None
