"""What a workload's requests hold, in words: whether they are real is for the reader of the results to know."""

from __future__ import annotations

from pathlib import Path

from orchestrator.workload import function
from orchestrator.workload.plan import Source, Workload


def inputs_text(workload: Workload, base_dir: Path) -> str:
    """Where the requests come from; "made up" is said of what only has the form of real data.

    The function that makes them is imported; PayloadError as from `make_payloads`.
    """
    texts = [_text(source, base_dir) for source in workload.sources().values()]
    return ", ".join(dict.fromkeys(texts))


def _text(source: Source, base_dir: Path) -> str:
    if source.payloads is None:
        return "random tensors in the shape of the model's inputs"
    if source.data is not None:
        return f"{source.data}, by {source.payloads}"
    if ":" in source.payloads and function.takes_data(source.payloads, base_dir):
        return f"made up by {source.payloads}, as workload.data names no data set"
    return source.payloads
