"""Where bundled models are kept, and how a replica gets one. Imports nothing heavy: replicas use it."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from serve_apps.nets.weights import origin

BUNDLED = ("digits", "clothing", "svhn", "resnet_cifar", "resnet18", "resnet50", "mobilenet", "squeezenet")
"""Models of one file, which the classifier serves."""

TRANSLATOR, STEP = "translator", "step"
"""The model of the translator, and the second of its files."""

ENCODERS = ("encoder_tiny", "encoder_minilm", "encoder_base")
"""Models that read sentences into vectors."""

BUILT = (*BUNDLED, TRANSLATOR, *ENCODERS)
BUILD_TIMEOUT_S = 600.0  # training takes seconds; a machine that needs ten minutes for it is stuck
_NETS = Path(__file__).parent
_VARIANT = ("quantize.py", "held.py")  # what a model in other numbers depends on, beside the model
_DEFINITION = ("{name}.py", "build.py", "part.py")  # what a stored model depends on
_PARTS = {
    "digits": ("images.py",),
    "resnet_cifar": ("residual.py",),
    "resnet18": ("residual.py",),
    "resnet50": ("residual.py",),
    TRANSLATOR: ("../vocabulary.py", "../datasets/grammar.py"),
    **dict.fromkeys(ENCODERS, ("encoder.py", "weights.py")),
}


def model_path(name: str, environ: Mapping[str, str] = os.environ) -> Path:
    """Where the bundled model `name` is kept; the file name changes whenever its definition does.

    `ORCHESTRATOR_MODEL_DIR` names the directory; otherwise it lies in the user's cache
    (`XDG_CACHE_HOME` or ~/.cache).
    """
    digest = hashlib.sha256()
    for source in (*_DEFINITION, *_PARTS.get(name, ())):
        digest.update((_NETS / source.format(name=name)).read_bytes())
    digest.update(origin(name).encode())
    return directory(environ) / f"{name}-{digest.hexdigest()[:12]}.onnx"


def part_path(path: Path, part: str) -> Path:
    """The file of a part of the model that is kept at `path`; that itself for the main part, "".

    The main file is there only when all others are.
    """
    return path.with_suffix(f".{part}.onnx") if part else path


def weights_path(path: Path) -> Path:
    """The weights of a bundled model of one file, for torch; there when the main file is."""
    return path.with_suffix(".pt")


def variant_path(path: Path, precision: str, data: Path | None = None, environ: Mapping[str, str] = os.environ) -> Path:
    """Where the model of the file `path` is kept in other numbers; another file, or other `data`, has another name."""
    digest = hashlib.sha256()
    for source in _VARIANT:
        digest.update((_NETS / source).read_bytes())
    for file in filter(None, (path, data)):
        facts = file.stat()
        digest.update(f"{file.resolve()} {facts.st_size} {facts.st_mtime_ns}".encode())
    return directory(environ) / f"{path.stem}.{precision}-{digest.hexdigest()[:12]}.onnx"


def ensure_variant(name: str, path: Path, precision: str, data: Path | None = None) -> Path:
    """The path of the bundled model `name` ("" for one that is not), whose file is `path`, in other numbers.

    It is made first if need be, as in `ensure_built`. Raises RuntimeError with the maker's own message.
    """
    target = variant_path(path, precision, data)
    if not target.exists():
        asked = [name, str(path), precision, str(target), *([str(data)] if data else [])]
        _run("serve_apps.nets.quantize", asked, target, f"{precision} of the model {path.stem!r}")
    return target


def ensure_built(name: str) -> Path:
    """The path of the bundled model `name`, built first if need be.

    It is built in a process of its own, so that the caller never imports torch. Any number of callers may ask
    at the same time: one builds, the others wait for it. Raises RuntimeError with the build's own message.
    """
    path = model_path(name)
    if not path.exists():
        _run("serve_apps.nets.build", [name], path, f"the bundled model {name!r}")
    return path


def _run(module: str, asked: list[str], path: Path, what: str) -> None:
    """The module as a command; RuntimeError unless `path` is there afterwards."""
    root = str(_NETS.parents[1])
    python_path = os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH")]))
    build = subprocess.run(
        [sys.executable, "-m", module, *asked],
        env={**os.environ, "PYTHONPATH": python_path},
        capture_output=True,
        text=True,
        timeout=BUILD_TIMEOUT_S,
        check=False,
    )
    if build.returncode != 0 or not path.exists():
        detail = build.stderr.strip()[-2000:] or f"exit code {build.returncode}"
        raise RuntimeError(f"cannot build {what} in {path.parent}: {detail}")


def directory(environ: Mapping[str, str] = os.environ) -> Path:
    """Where models, and data that was made for them, are kept."""
    if chosen := environ.get("ORCHESTRATOR_MODEL_DIR"):
        return Path(chosen).expanduser()
    cache = environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(cache).expanduser() / "ray-serve-orchestrator" / "models"
