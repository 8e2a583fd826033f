"""How percentiles are named: `latency_p999_ms` is the figure that people write as p99.9.

A name has the digits that follow "0." in the share of requests which are at most as slow, so that it is a word in any
language. Two digits are the least: with one, nobody could tell p5 from p50. Six are the most: a p99.9999 takes more
than four million requests to pass.
"""

from __future__ import annotations

import re

WRITTEN = r"p(?!00|100)\d\d(?:\.?\d{1,4})?"
"""Pattern of a percentile as people write it: p99, p99.9 or p999."""

_FIGURE = re.compile(r"latency_p(\d{2,6})_ms")


def digits(written: str) -> str:
    """ "p999" for "p99.9", "p50" for "p50.0"; `written` is as in WRITTEN."""
    return f"p{written[1:].replace('.', '').rstrip('0'):0<2}"


def shown(figure: str) -> str:
    """ "p99.9" for "latency_p999_ms", "mean" for "latency_mean_ms"; other figures as they are."""
    if not figure.startswith("latency_"):
        return figure
    short = figure.removeprefix("latency_").removesuffix("_ms")
    return f"{short[:3]}.{short[3:]}" if share_below(figure) is not None and len(short) > 3 else short


def share_below(figure: str) -> float | None:
    """0.999 for "latency_p999_ms", the share of requests at most as slow; None for a figure that is no percentile."""
    found = _FIGURE.fullmatch(figure)
    return float(f"0.{found[1]}") if found else None


def percent_of(figure: str) -> float | None:
    """99.9 for "latency_p999_ms"; None for a figure that is no percentile."""
    found = _FIGURE.fullmatch(figure)
    return float(f"{found[1][:2]}.{found[1][2:] or 0}") if found else None
