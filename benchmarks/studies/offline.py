"""The tables of offline studies: time per item by batch size. Pure; every one is Markdown."""

from __future__ import annotations

from collections.abc import Mapping

from benchmarks.studies.figures import with_interval
from benchmarks.studies.page import Wanted, markdown
from orchestrator.insight import batch_curves
from orchestrator.insight.batches import BatchPoint
from orchestrator.names import figure
from orchestrator.result import StudyResult

Studies = Mapping[str, StudyResult]
NONE = "–"


def batches(studies: Studies, wanted: Wanted) -> str:
    """| panel | names: ms per item, a row for each size of a batch, a column for each curve of the panel."""
    return _by_size(studies, wanted, lambda point, curve: _told(point)[1])


def normalised(studies: Studies, wanted: Wanted) -> str:
    """The same as multiples of the best of each curve, which is 1."""
    return _by_size(studies, wanted, lambda point, curve: figure(point.item_ms.value / curve.best.item_ms.value))


def sufficient(studies: Studies, wanted: Wanted) -> str:
    """Curve by curve the smallest batch within 2 % of the best, the least not shown to be worse, and a single item."""
    rows = [
        [
            *(curve.name, curve.panel, *_told(curve.sufficient), *_told(curve.best)),
            *(f"{curve.acceptable.size:g}", f"×{figure(curve.gain)}"),
        ]
        for curve in batch_curves(_only(studies))
    ]
    headings = (
        *("", "", "smallest within 2 %", "item, ms", "best batch", "item, ms"),
        *("not shown to be worse from", "item in a batch of 1"),
    )
    return markdown(headings, rows)


def _by_size(studies: Studies, wanted: Wanted, told) -> str:
    (panel,), names = wanted.arguments
    curves = {curve.name: curve for curve in batch_curves(_only(studies)) if curve.panel == panel}
    points = {name: {point.size: point for point in curve.points} for name, curve in curves.items()}
    sizes = sorted({size for name in names for size in points.get(name, {})})

    def at(size: float, name: str) -> str:
        point = points.get(name, {}).get(size)
        return NONE if point is None else told(point, curves[name])

    return markdown(["batch", *names], [[f"{size:g}", *(at(size, name) for name in names)] for size in sizes])


def _told(point: BatchPoint) -> tuple[str, str]:
    value, interval = point.item_ms
    return f"{point.size:g}", with_interval(value, *((interval.lo, interval.hi) if interval else (None, None)))


def _only(studies: Studies) -> StudyResult:
    (study,) = studies.values()
    return study
