"""Figures and their sentences as one HTML page that needs nothing from anywhere else."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import NamedTuple

import plotly.graph_objects as go
from plotly.offline import get_plotlyjs

CSS = """
body { font-family: sans-serif; color: #222; max-width: 1160px; margin: 0 auto; padding: 0 16px; line-height: 1.4 }
section { border-top: 1px solid #ccc; margin-top: 24px; padding-top: 8px }
p { max-width: 100ch }
"""


class Section(NamedTuple):
    """A figure and what it says; without a figure the sentences say why."""

    name: str  # for links within the page: letters and dashes
    figure: go.Figure | None
    sentences: Iterable[str]


def page(title: str, sections: Sequence[Section]) -> str:
    """The document; plotly.js, nearly all of its size, is in it once for all figures."""
    body = "\n".join(_section(section) for section in sections)
    return (
        f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>{escape(title)}</title>\n'
        f"<style>{CSS}</style>\n<script>{get_plotlyjs()}</script>\n</head>\n"
        f"<body>\n<h1>{escape(title)}</h1>\n{body}\n</body>\n</html>\n"
    )


def _section(section: Section) -> str:
    drawn = ""
    if section.figure is not None:
        drawn = section.figure.to_html(
            full_html=False,
            include_plotlyjs=False,
            div_id=f"{section.name}-figure",  # the library's own id would be another one each time
            config={"displaylogo": False, "responsive": True},
        )
    return f'<section id="{section.name}">\n{drawn}\n{_paragraphs(section.sentences)}\n</section>'


def _paragraphs(sentences: Iterable[str]) -> str:
    return "\n".join(f"<p>{escape(sentence)}</p>" for sentence in sentences)
