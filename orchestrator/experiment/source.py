"""YAML text with line numbers: the adapter of PyYAML's reading side.

It reads what PyYAML's safe loader reads, with three differences: a key given twice is an error, `1e-4` is a
number (in YAML 1.1 it is text), and `2024-01-31` stays text (a Serve config is JSON, which has no dates).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import yaml

from orchestrator.errors import Problem
from orchestrator.validation import Path

_SCIENTIFIC = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)[eE][-+]?[0-9]+$")


class _Loader(yaml.SafeLoader):
    yaml_implicit_resolvers = {  # noqa: RUF012 - PyYAML's own class attribute
        first: [rule for rule in rules if rule[0] != "tag:yaml.org,2002:timestamp"]
        for first, rules in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


_Loader.add_implicit_resolver("tag:yaml.org,2002:float", _SCIENTIFIC, list("-+.0123456789"))


class UnreadableError(ValueError):
    """The text is not one YAML document, or not one that can be taken at its word."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems
        super().__init__("\n".join(map(str, problems)))


class Source:
    """One YAML document: its value, where each part of it stands, and the keys that are `repeated` in it.

    Raises UnreadableError when there is no telling what the document says.
    """

    def __init__(self, text: str) -> None:
        try:
            loader = _Loader(text)
            root = loader.get_single_node()
            if root is None:
                raise UnreadableError([Problem("", "the file is empty")])
            self.repeated = list(_repeated_keys(root, "", ()))
            self._root: yaml.Node = root
            self.value: Any = loader.construct_document(root)
        except yaml.YAMLError as error:
            raise UnreadableError([_syntax_problem(error, text)]) from None
        except RecursionError:
            raise UnreadableError([Problem("", "is nested too deeply to be read")]) from None
        except ValueError as error:
            if isinstance(error, UnreadableError):
                raise
            raise UnreadableError([Problem("", f"has a value that cannot be read: {error}")]) from None

    def position(self, path: Path) -> tuple[int, int] | None:
        """(line, column), from 1, of a key or list item, or of the nearest part around it in the file.

        None for what belongs to the document as a whole.
        """
        node = self._root
        found: tuple[int, int] | None = None
        for step in path:
            below = _child(node, step)
            if below is None:
                break
            mark, node = below
            found = (mark.line + 1, mark.column + 1)
        return found


def node_at(root: yaml.Node, path: Path) -> yaml.Node | None:
    """The part of a document that stands at a path; None where there is none."""
    node: yaml.Node | None = root
    for step in path:
        below = _child(node, step) if node is not None else None
        node = below[1] if below else None
    return node


def _child(node: yaml.Node, step: Any) -> tuple[yaml.Mark, yaml.Node] | None:
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        return node.value[step].start_mark, node.value[step]
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if isinstance(key, yaml.ScalarNode) and _same_key(key, step):
                return key.start_mark, value
    return None


def _same_key(node: yaml.ScalarNode, step: Any) -> bool:
    value = yaml.constructor.SafeConstructor().construct_object(node)
    return value == step and isinstance(value, bool) == isinstance(step, bool)


def _repeated_keys(node: yaml.Node, path: str, above: tuple[yaml.Node, ...]) -> Iterator[Problem]:
    """Keys that stand twice in a mapping, of which YAML would drop all but the last."""
    if any(node is outer for outer in above):
        line = node.start_mark.line + 1
        raise UnreadableError([Problem(path, "an alias (*) stands inside of what it refers to", line)])
    if isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            yield from _repeated_keys(item, f"{path}[{index}]", (*above, node))
    if isinstance(node, yaml.MappingNode):
        first: dict[tuple[str, str], int] = {}
        for key, value in node.value:
            below, line = f"{path}.{key.value}".removeprefix("."), key.start_mark.line + 1
            if (key.tag, str(key.value)) in first:
                before = first[key.tag, str(key.value)]
                yield Problem(below, f"the key stands here again; it was given in line {before}", line)
            first.setdefault((key.tag, str(key.value)), line)
            yield from _repeated_keys(value, below, (*above, node))


def _syntax_problem(error: yaml.YAMLError, text: str) -> Problem:
    if isinstance(error, yaml.MarkedYAMLError):
        mark = error.problem_mark or error.context_mark
        sentence = " ".join(part for part in (error.context, error.problem) if part)
        if "'\\t'" in sentence:
            sentence += "; indent with spaces, not with tabs"
        return Problem("", f"is not valid YAML: {sentence}", mark.line + 1 if mark else None)
    if isinstance(error, yaml.reader.ReaderError):
        line = text.count("\n", 0, error.position) + 1 if isinstance(error.position, int) else None
        return Problem("", f"is not valid YAML: a control character stands here ({error.reason})", line)
    return Problem("", f"is not valid YAML: {error}")
