"""The answers to all items, put together from figures, from what was tried, and from what needs no trial. Pure."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence

from orchestrator.checklist import findings
from orchestrator.checklist.answer import Answer, End, Tried
from orchestrator.checklist.candidates import Settled
from orchestrator.checklist.findings import Facts, Finding
from orchestrator.checklist.items import (
    DISTILLATION,
    ENGINE,
    FP16,
    INT8,
    IO,
    ITEMS,
    PADDING,
    PROCESSING,
    SYSTEM,
    VERSIONS,
    Item,
    Kind,
)
from orchestrator.names import describe, figure
from orchestrator.result import Ratio

_BY_FIGURES: Mapping[str, Callable[[Facts], Finding | None]] = {
    VERSIONS.name: findings.versions,
    SYSTEM.name: findings.system,
    PROCESSING.name: findings.processing,
    IO.name: findings.io,
    PADDING.name: findings.padding,
    DISTILLATION.name: findings.distillation,
}

OTHER_NUMBERS = (FP16, INT8, ENGINE)
"""What is tried for them may say something else."""

MEASURED = (End.NO_GAIN, End.BREAKS)
"""What shows that there is nothing to be had."""


def answers(facts: Facts, tried: Sequence[Tried], settled: Sequence[Settled]) -> list[Answer]:
    """One for each item, in their order."""
    return [
        _answer(
            item,
            _BY_FIGURES[item.name](facts) if item.name in _BY_FIGURES else None,
            [one for one in tried if one.candidate.item is item],
            [one for one in settled if one.item is item],
        )
        for item in ITEMS
    ]


def _answer(item: Item, found: Finding | None, tried: Sequence[Tried], settled: Sequence[Settled]) -> Answer:
    shown = [one for one in tried if one.end is End.GAIN and one.gain is not None]
    best = max(shown, key=lambda one: (one.mends, one.gain.lo), default=None)  # type: ignore[union-attr]
    kind = Kind.GAIN if best else _kind(found, tried, settled)
    told = [found.sentence] if found else []
    told += [*_sentences(tried), *dict.fromkeys(one.finding for one in settled)]
    return Answer(
        item,
        kind,
        "; ".join(told),
        figures=found.figures if found else {},
        tried=tuple(tried),
        change=best.candidate.changes if best else {},
        gain=best.gain if best else None,
        mends=best.mends if best else False,
    )


def _kind(found: Finding | None, tried: Sequence[Tried], settled: Sequence[Settled]) -> Kind:
    """Where no gain was shown: what was measured counts most, then the figures, then why nothing was measured."""
    ends, kinds = {one.end for one in tried}, {one.kind for one in settled}
    if End.OPEN in ends:
        return Kind.UNCHECKED if found is None else Kind.DECIDE
    if ends & set(MEASURED):
        return Kind.DONE
    if found is not None and found.kind is not Kind.DONE:
        return found.kind
    if Kind.DONE in kinds:
        return Kind.DONE
    if ends & {End.BROKEN, End.SKIPPED} or Kind.UNCHECKED in kinds:
        return Kind.UNCHECKED
    return Kind.NOT_APPLICABLE if found is None else Kind.DONE


def _sentences(tried: Sequence[Tried]) -> Iterator[str]:
    """What came of each; those that came to nothing for the same reason share it."""
    yield from (sentence_of(one) for one in tried if one.gain is not None)
    reasons: dict[tuple[End, str], list[str]] = {}
    for one in tried:
        if one.gain is None:
            named = one.end is End.REFUSED or any(map(one.why.startswith, one.candidate.changes))
            changes = [] if named else [describe(one.candidate.changes, {})]
            reasons.setdefault((one.end, one.why), []).extend(changes)
    for (_, why), changes in reasons.items():
        yield f"{', '.join(changes)}: {why}" if changes else why


def sentence_of(one: Tried) -> str:
    """ "args.precision=int8 ×1.62 (1.40–1.88), accuracy 0.992", of one that has a gain."""
    remarks = {
        End.BREAKS: ", but it breaks the SLO, which the baseline keeps",
        End.OPEN: ", which does not tell: measure for longer",
        End.GAIN: ", and it keeps the SLO, which the baseline does not" if one.mends else "",
    }
    gain = gain_text(one.gain) if one.gain is not None else ""
    once = ", measured once" if one.measured == 1 else ""
    another = one.candidate.item in OTHER_NUMBERS and not math.isnan(one.accuracy)
    accuracy = f", accuracy {one.accuracy:.4g}" if another else ""
    return f"{describe(one.candidate.changes, {})} {gain}{once}{accuracy}{remarks.get(one.end, '')}"


def gain_text(gain: Ratio) -> str:
    """ "×1.62 (1.40–1.88)"; more is better, whatever the objective."""
    return f"×{figure(gain.value)} ({figure(gain.lo)}–{figure(gain.hi)})"
