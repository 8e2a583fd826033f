"""The server's own times out of `Server-Timing` headers (W3C Server Timing), in bulk.

`queue;dur=1.2, batch;dur=0.8, compute;dur=3.1, batch-size;desc=8`: durations are milliseconds. Entries come
in any order, unknown ones are ignored, the last of a name counts, and whatever is missing or is not a number
becomes NaN.

All headers are searched as one text, a line each: parsing them one by one in Python would take several times
as long, and on a shared machine this time is taken from the server.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_NUMBER = rb"(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
_VALUE = re.compile(rb"=[ \t]*(%b)" % _NUMBER)
_QUOTED = re.compile(rb'"((?:[^"\\\n]|\\.)*)"')
_PLAIN = re.compile(rb"[\w.+-]+")


def _on_every_line(entry: bytes, parameter: bytes) -> re.Pattern[bytes]:
    """Matches each line of a text exactly once; its group is the number, or empty where there is none."""
    found = rb"(?:.*,)?[ \t]*%b[ \t]*;(?:[^,\n]*;)?[ \t]*%b[ \t]*=[ \t]*(%b)[ \t]*(?:[;,].*)?$"
    return re.compile(rb"^(?:%b|.*$)" % (found % (re.escape(entry), parameter, _NUMBER)), re.MULTILINE | re.IGNORECASE)


_METRICS = (
    _on_every_line(b"queue", b"dur"),
    _on_every_line(b"batch", b"dur"),
    _on_every_line(b"compute", b"dur"),
    _on_every_line(b"batch-size", b"desc"),
)
_UNITS = (1e-3, 1e-3, 1e-3, 1.0)  # durations come in ms and go in s


@dataclass(frozen=True)
class ServerTimes:
    """Columns of the same length, one row per header; times in seconds, NaN where the header does not say."""

    queue_s: NDArray[np.float64]
    batch_wait_s: NDArray[np.float64]
    compute_s: NDArray[np.float64]
    batch_size: NDArray[np.float64]


def parse_server_timing(headers: Sequence[bytes]) -> ServerTimes:
    """Parse header values (empty where an answer had none), which hold no line breaks."""
    values = np.full((len(headers), len(_METRICS)), np.nan)
    if present := [header for header in headers if header]:
        text = b"\n".join(present)
        if b'"' in text:
            text = _QUOTED.sub(_unquote, text)
        parsed = _parse_alike(text, len(present))
        values[[bool(header) for header in headers]] = _parse_any(text) if parsed is None else parsed
    return ServerTimes(*(column * unit for column, unit in zip(values.T, _UNITS, strict=True)))


def _parse_alike(text: bytes, rows: int) -> NDArray[np.float64] | None:
    """Shape (rows, metrics), when all lines are like the first but for their numbers, as they mostly are.

    A pattern made from the first line then reads all metrics in one pass, faster than `_parse_any` does.
    """
    first = text.partition(b"\n")[0]
    starts = [match.start(1) for metric in _METRICS if (match := metric.match(first))]
    if -1 in starts:
        return None
    layout, end = [b"^"], 0
    for number in _VALUE.finditer(first):
        group = rb"(\d+\.?\d*)" if number.start(1) in starts else rb"\d+\.?\d*"  # the usual notation only
        layout += [re.escape(first[end : number.start(1)]), group]
        end = number.end(1)
    layout += [re.escape(first[end:]), b"$"]
    # A flat list, unlike a tuple per line, gives the garbage collector nothing to look through.
    parts = re.split(b"".join(layout), text, flags=re.MULTILINE)
    stride = len(starts) + 1
    if len(parts) != rows * stride + 1:
        return None
    ranks = [sorted(starts).index(start) for start in starts]  # a metric's place on the line
    return np.column_stack([_floats(parts[1 + rank :: stride]) for rank in ranks])


def _parse_any(text: bytes) -> NDArray[np.float64]:
    """Shape (lines, metrics); one pass per metric, whatever the lines look like."""
    return np.column_stack([_floats([n or b"nan" for n in metric.findall(text)]) for metric in _METRICS])


def _floats(numbers: Sequence[bytes]) -> NDArray[np.float64]:
    return np.fromiter(map(float, numbers), np.float64, count=len(numbers))


def _unquote(quoted: re.Match[bytes]) -> bytes:
    """A quoted number counts as the number; any other quoted string could hide separators and is blanked."""
    content: bytes = quoted[1]
    return content if _PLAIN.fullmatch(content) else b"_"
