"""All knobs of a space by their labels, those of branches that are not active included."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.space import Condition, Knob, Space, branch_prefix


def labelled(space: Space, prefix: str = "") -> Iterator[tuple[str, Knob]]:
    """(label, knob) in the order of the file, a branch's knobs after their condition."""
    for path, knob in space.knobs.items():
        yield prefix + path, knob
        if isinstance(knob, Condition):
            for index, branch in enumerate(knob.branches):
                yield from labelled(branch.space, branch_prefix(prefix + path, index))
