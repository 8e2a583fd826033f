"""The server's own times out of `Server-Timing` headers (W3C Server Timing), in bulk.

`queue;dur=1.2, batch;dur=0.8, compute;dur=3.1, batch-size;desc=8, tokens;desc=60, padding;desc=12, accuracy;desc=0.98`:
durations are milliseconds. Entries come in any order, unknown ones are ignored, the last of a name counts, and whatever
is missing or is not a number becomes NaN.

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
    _on_every_line(b"tokens", b"desc"),
    _on_every_line(b"padding", b"desc"),
    _on_every_line(b"accuracy", b"desc"),
)
_UNITS = (1e-3, 1e-3, 1e-3, 1.0, 1.0, 1.0, 1.0)  # durations come in ms and go in s

_BLOCK = 4096  # headers parsed together: much of a pass is paid once, and what it works on stays in the cache
_DIGITS = b"0123456789"
_DECIMAL = re.compile(rb"\d+\.?\d*")
_EXACT_DIGITS = 15  # so short an integer is exact as a float, and over a power of ten gives the nearest one
_POWERS_OF_TEN = np.array([10.0**exponent for exponent in range(_EXACT_DIGITS + 1)])


@dataclass(frozen=True)
class ServerTimes:
    """Columns of the same length, one row per header; times in seconds, NaN where the header does not say."""

    queue_s: NDArray[np.float64]
    batch_wait_s: NDArray[np.float64]
    compute_s: NDArray[np.float64]
    batch_size: NDArray[np.float64]
    tokens: NDArray[np.float64]
    padding: NDArray[np.float64]
    accuracy: NDArray[np.float64]


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

    The numbers are then put together from their digits, a column at a time: faster than one by one.
    """
    first = text.partition(b"\n")[0]
    numbers = [metric.match(first) for metric in _METRICS]
    layout = b"\n" + first.translate(None, _DIGITS)
    text = b"\n" + text + b"\n"
    if any(found and found[1] and not _DECIMAL.fullmatch(found[1]) for found in numbers):
        return None
    if text.translate(None, _DIGITS) != layout * rows + b"\n":
        return None
    digits = np.frombuffer(text, np.uint8) - np.uint8(ord("0"))  # what is no digit wraps around to 10 or more
    edges = np.flatnonzero(np.diff(digits < 10)) + 1
    begins, lengths = edges[::2], edges[1::2] - edges[::2]
    if len(begins) % rows:
        return None
    # Lines of one layout are alike if their groups of digits stand in the same places of it.
    places = (begins - lengths.cumsum() + lengths).reshape(rows, -1)
    if (places - places[0] != len(layout) * np.arange(rows)[:, np.newaxis]).any():
        return None
    begins, lengths = begins.reshape(rows, -1).T, lengths.reshape(rows, -1).T
    columns = []
    for number in numbers:
        if not number or not number[1]:
            columns.append(np.full(rows, np.nan))  # lines of one layout lack the same entries
            continue
        whole = int(np.searchsorted(begins[:, 0], number.start(1) + 1))
        groups = range(whole, whole + len(re.findall(rb"\d+", number[1])))
        if sum(lengths[group].max() for group in groups) > _EXACT_DIGITS:
            return None
        value = np.zeros(rows)
        for group in groups:
            value = _append_digits(value, digits, begins[group], lengths[group])
        columns.append(value / _POWERS_OF_TEN[lengths[groups[1]]] if groups[1:] else value)
    return np.column_stack(columns)


def _append_digits(
    values: NDArray[np.float64], digits: NDArray[np.uint8], begins: NDArray[np.intp], lengths: NDArray[np.intp]
) -> NDArray[np.float64]:
    """The integers that `values` become with groups of digits written behind them."""
    for place in range(lengths.max()):
        values = np.where(place < lengths, 10 * values + digits.take(begins + place, mode="clip"), values)
    return values


def _parse_any(text: bytes) -> NDArray[np.float64]:
    """Shape (lines, metrics); one pass per metric, whatever the lines look like."""
    return np.column_stack([_floats([n or b"nan" for n in metric.findall(text)]) for metric in _METRICS])


def _floats(numbers: Sequence[bytes]) -> NDArray[np.float64]:
    return np.fromiter(map(float, numbers), np.float64, count=len(numbers))


def _unquote(quoted: re.Match[bytes]) -> bytes:
    """A quoted number counts as the number; any other quoted string could hide separators and is blanked."""
    content: bytes = quoted[1]
    return content if _PLAIN.fullmatch(content) else b"_"
