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

_END_OF_HEAD = b"\r\n\r\n"
_HEADER_OR_END = re.compile(rb"\n(?:server-timing:[ \t]*(.+)\r|\r)", re.IGNORECASE)  # an end matches as empty
_NEXT_ANSWER = b"\n\r"  # matches as an end too, so that what is found can be told from answer to answer
_NUMBER = rb"(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
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

_BLOCK = 4096  # headers parsed together: much of a pass is paid once, and what it works on stays in the cache
_DIGITS = b"0123456789"
_BLANK = (bytes(byte if byte in _DIGITS else ord(" ") for byte in range(256)),)
_MARK = re.compile(rb"[=.]")
_POWERS_OF_TEN = 10 ** np.arange(19, dtype=np.int64)
_EXACT = 1e15  # quotients of smaller integers are the nearest double, as `float` gives it


@dataclass(frozen=True)
class ServerTimes:
    """Columns of the same length, one row per header; times in seconds, NaN where the header does not say."""

    queue_s: NDArray[np.float64]
    batch_wait_s: NDArray[np.float64]
    compute_s: NDArray[np.float64]
    batch_size: NDArray[np.float64]


def parse_server_timing(answers: Sequence[bytes]) -> ServerTimes:
    """Parse raw answers, which may lack (parts of) their bodies; empty where there was none."""
    values = np.full((len(answers), len(_METRICS)), np.nan)
    for start in range(0, len(answers), _BLOCK):
        block = answers[start : start + _BLOCK]
        headers = _headers([answer for answer in block if answer])
        if timed := [header for header in headers if header]:
            rows = start + _present(block)[_present(headers)]
            values[rows] = _parse(b"\n".join(timed), len(timed))
    return ServerTimes(*(column * unit for column, unit in zip(values.T, _UNITS, strict=True)))


def _present(texts: Sequence[bytes]) -> NDArray[np.intp]:
    return np.flatnonzero(np.fromiter(map(bool, texts), np.bool_, len(texts)))


def _headers(answers: Sequence[bytes]) -> list[bytes]:
    """The value of each answer's header, empty without one; several count as one list (RFC 9110, section 5.3)."""
    found = _HEADER_OR_END.findall(_NEXT_ANSWER.join([*answers, b""]))
    headers: list[bytes] = found[::3]
    if len(found) == 3 * len(answers) and all(headers) and not any(found[1::3]) and not any(found[2::3]):
        return headers  # each answer has exactly one, the end of its head and nothing of the kind in its body
    headers, values = [], []
    heads = [answer.partition(_END_OF_HEAD)[0] for answer in answers]
    for value in _HEADER_OR_END.findall(_END_OF_HEAD.join([*heads, b""])):
        if value:
            values.append(value)
        else:
            headers.append(b",".join(values))
            values.clear()
    return headers


def _parse(text: bytes, rows: int) -> NDArray[np.float64]:
    """Shape (rows, metrics)."""
    if b'"' in text:
        text = _QUOTED.sub(_unquote, text)
    parsed = _parse_alike(text, rows)
    return _parse_any(text) if parsed is None else parsed


def _parse_alike(text: bytes, rows: int) -> NDArray[np.float64] | None:
    """Shape (rows, metrics), when all lines are like the first but for their digits, as they mostly are.

    Integers are read far faster than fractions, so the digits before a decimal point and those after it are
    read as one each. Every `=` and every point puts a 1 in front, which keeps leading zeros and stands alone
    where digits are missing. Digits anywhere else show as too many integers.
    """
    first = text.partition(b"\n")[0]
    layout = first.translate(None, _DIGITS)
    starts = [match.start(1) for metric in _METRICS if (match := metric.match(first))]
    if -1 in starts or text.translate(None, _DIGITS) != b"\n".join([layout] * rows):
        return None
    marks = _MARK.findall(layout)
    integers = np.fromstring(text.replace(b"=", b"=1").replace(b".", b".1").translate(*_BLANK), np.int64, sep=" ")
    if len(integers) != rows * len(marks):
        return None
    columns = []
    for start in starts:
        place = len(_MARK.findall(first, 0, start)) - 1
        whole, size = _unmark(integers[place :: len(marks)])
        behind, scale = _unmark(integers[place + 1 :: len(marks)]) if marks[place + 1 : place + 2] == [b"."] else (0, 1)
        if size.min() == 1 or (size * np.float64(scale)).max() > _EXACT:
            return None
        columns.append((whole * scale + behind) / scale)
    return np.column_stack(columns)


def _unmark(marked: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """What follows the leading 1, and ten to the number of its digits."""
    size = _POWERS_OF_TEN[np.searchsorted(_POWERS_OF_TEN, marked, side="right") - 1]
    return marked - size, size


def _parse_any(text: bytes) -> NDArray[np.float64]:
    """Shape (lines, metrics); one pass per metric, whatever the lines look like."""
    return np.column_stack([_floats([n or b"nan" for n in metric.findall(text)]) for metric in _METRICS])


def _floats(numbers: Sequence[bytes]) -> NDArray[np.float64]:
    return np.fromiter(map(float, numbers), np.float64, count=len(numbers))


def _unquote(quoted: re.Match[bytes]) -> bytes:
    """A quoted number counts as the number; any other quoted string could hide separators and is blanked."""
    content: bytes = quoted[1]
    return content if _PLAIN.fullmatch(content) else b"_"
