"""Other values of knobs in the text of an experiment file; all else of it, comments too, stays as it is."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from orchestrator.experiment.source import node_at
from orchestrator.validation import Path


def rewritten(text: str, values: Mapping[Path, tuple[Sequence[Any], Sequence[Any]]]) -> str:
    """The text with other lists in it: {place of a list: (the items that it has, those that it is to have)}.

    An item that stays in its place stays as it is written. A list with as many items as before has the others
    replaced; from one that gets shorter, they are taken out, with their lines where each has one of its own.
    ValueError where there is no such list.
    """
    root: yaml.Node = yaml.compose(text, Loader=yaml.SafeLoader)  # type: ignore[assignment]  # it was read before
    edits = [edit for place, (before, after) in values.items() for edit in _edits(text, root, place, before, after)]
    for start, end, new in sorted(edits, reverse=True):
        text = text[:start] + new + text[end:]
    return text


def _edits(
    text: str, root: yaml.Node, place: Path, before: Sequence[Any], after: Sequence[Any]
) -> list[tuple[int, int, str]]:
    node = node_at(root, place)
    if not isinstance(node, yaml.SequenceNode) or len(node.value) != len(before):
        raise ValueError(f"there is no list of {len(before)} items at {place}")
    items = node.value
    if len(after) == len(before):
        changed = [(item, new) for item, old, new in zip(items, before, after, strict=True) if new != old]
        return [(item.start_mark.index, item.end_mark.index, json.dumps(new)) for item, new in changed]
    kept = [item for item, value in zip(items, before, strict=True) if value in after]
    if node.flow_style:
        written = ", ".join(text[item.start_mark.index : item.end_mark.index] for item in kept)
        return [(node.start_mark.index, node.end_mark.index, f"[{written}]")]
    return [(*_line_of(text, item), "") for item in items if item not in kept]


def _line_of(text: str, item: yaml.Node) -> tuple[int, int]:
    """From the beginning of an item's line to that of the next one after it."""
    end = text.find("\n", item.end_mark.index)
    return text.rfind("\n", 0, item.start_mark.index) + 1, len(text) if end < 0 else end + 1
