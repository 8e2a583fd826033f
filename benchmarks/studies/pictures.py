"""Pictures of a page: the figures that MLflow keeps as one page of HTML, one of them as PNG."""

from __future__ import annotations

import json
import re
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path

import plotly.graph_objects as go
from PIL import Image

from orchestrator.errors import UsageError

WIDTH, SCALE = 1000, 1.5
"""Pixels of the layout, and how many of the file each of them is: sharp on most screens."""

COLOURS = 128
"""In the file: flat colours and the edges of letters need no more, and it is a third of the size."""

_FIGURE = re.compile(r'Plotly\.newPlot\(\s*"(?P<name>[\w-]+)-figure",\s*')
_NEXT = re.compile(r"\s*,\s*")


def figures_of(page: str) -> dict[str, go.Figure]:
    """The figures that `orchestrator.figures.page` put on a page, by the names of their sections."""
    found, decoder = {}, json.JSONDecoder()
    for start in _FIGURE.finditer(page):
        data, end = decoder.raw_decode(page, start.end())
        between = _NEXT.match(page, end)
        layout, _ = decoder.raw_decode(page, between.end())
        found[start["name"]] = go.Figure({"data": data, "layout": layout})
    return found


def save(figure: go.Figure, file: Path) -> str:
    """Writes the figure as it stands on its page and returns its title; UsageError where nothing here can draw it."""
    if find_spec("kaleido") is None:
        raise UsageError("pictures are drawn by kaleido: pip install 'ray-serve-orchestrator[pictures]'")
    try:
        drawn = figure.to_image("png", width=WIDTH, height=figure.layout.height, scale=SCALE)
    except (RuntimeError, ValueError) as error:  # the latter when the browser that was found does not start
        told = str(error).strip().splitlines()[0]
        raise UsageError(f"pictures are drawn by Chrome or Chromium, which has to be installed: {told}") from error
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.open(BytesIO(drawn)).convert("RGB").quantize(COLOURS).save(file, optimize=True)
    return re.sub("<[^>]*>", " ", figure.layout.title.text or file.stem)
