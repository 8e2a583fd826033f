"""The server's own times out of `Server-Timing` headers (W3C Server Timing), in bulk.

`queue;dur=1.2, batch;dur=0.8, compute;dur=3.1, batch-size;desc=8`: durations are milliseconds. Entries come in
any order, unknown ones are ignored, and whatever is missing or is not a number becomes NaN.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_NUMBER = rb"((?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)"
_QUOTED = re.compile(rb'"((?:[^"\\]|\\.)*)"')
_PLAIN = re.compile(rb"[\w.+-]+")


def _every_line(entry: bytes, parameter: bytes) -> re.Pattern[bytes]:
    """Matches each line of a text exactly once; its group is the number, or empty where there is none."""
    found = rb"(?:.*,)?[ \t]*%b[ \t]*;(?:[^,\n]*;)?[ \t]*%b[ \t]*=[ \t]*%b[ \t]*(?:[;,].*)?$"
    return re.compile(rb"^(?:%b|.*$)" % (found % (entry, parameter, _NUMBER)), re.MULTILINE | re.IGNORECASE)


_QUEUE = _every_line(b"queue", b"dur")
_BATCH = _every_line(b"batch", b"dur")
_COMPUTE = _every_line(b"compute", b"dur")
_BATCH_SIZE = _every_line(b"batch-size", b"desc")


@dataclass(frozen=True)
class ServerTimes:
    """Columns of the same length, one row per header; times in seconds, NaN where the header does not say."""

    queue_s: NDArray[np.float64]
    batch_wait_s: NDArray[np.float64]
    compute_s: NDArray[np.float64]
    batch_size: NDArray[np.float64]


def parse_server_timing(headers: Sequence[bytes]) -> ServerTimes:
    """Parse header values (empty where an answer had none), which hold no line breaks.

    All headers are searched as one text, a line each: a few regular expressions over it cost a fraction of
    what parsing line by line in Python does, and this time is taken from the server under test.
    """
    text = b"\n".join(headers)
    if b'"' in text:
        text = _QUOTED.sub(_unquote, text)
    rows = len(headers)
    return ServerTimes(
        queue_s=_column(_QUEUE, text, rows) / 1e3,
        batch_wait_s=_column(_BATCH, text, rows) / 1e3,
        compute_s=_column(_COMPUTE, text, rows) / 1e3,
        batch_size=_column(_BATCH_SIZE, text, rows),
    )


def _column(pattern: re.Pattern[bytes], text: bytes, rows: int) -> NDArray[np.float64]:
    values = (float(number or b"nan") for number in pattern.findall(text)[:rows])
    return np.fromiter(values, np.float64, count=rows)


def _unquote(quoted: re.Match[bytes]) -> bytes:
    """A quoted number counts as the number; any other quoted string could hide separators and is blanked."""
    content = quoted[1]
    return content if _PLAIN.fullmatch(content) else b"_"
