"""The checkout as a whole: files that parse, links that lead somewhere, one version, nothing generated."""

import os
import re
import subprocess
from pathlib import Path

import pytest
import yaml

import orchestrator
from orchestrator.cli.app import app

ROOT = Path(__file__).parents[2]
GENERATED = {".onnx", ".pt", ".pth", ".db", ".sqlite", ".parquet", ".pkl", ".whl", ".pyc", ".log"}
LARGEST_BYTES = 1_000_000  # pictures of the guide are the biggest files we keep
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)[^)]*\)")


def committed_files():
    """What is in the repository, or would be with the next commit."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return []  # no git, or an unpacked archive
    return [path for path in map(Path, filter(None, listed.split("\0"))) if (ROOT / path).is_file()]


FILES = committed_files()
needs_git = pytest.mark.skipif(not FILES, reason="not a git checkout")


def pages():
    return sorted(path for path in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])


def version_in_pyproject():
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    (version,) = re.findall(r'^version = "(.+)"$', text, re.MULTILINE)
    return version


@needs_git
@pytest.mark.parametrize("path", [str(p) for p in FILES if p.suffix in {".yaml", ".yml"}])
def test_every_yaml_file_parses(path):
    assert list(yaml.safe_load_all((ROOT / path).read_text(encoding="utf-8")))


@needs_git
def test_nothing_generated_is_kept():
    assert not [str(path) for path in FILES if path.suffix in GENERATED or "mlruns" in path.parts]


@needs_git
def test_no_file_is_large():
    assert not [str(path) for path in FILES if (ROOT / path).stat().st_size > LARGEST_BYTES]


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_every_relative_link_leads_to_a_file(page):
    targets = [target.partition("#")[0] for target in LINK.findall(page.read_text(encoding="utf-8"))]
    relative = [target for target in targets if target and not re.match(r"[a-z]+:", target)]
    assert not [target for target in relative if not (page.parent / target).exists()]


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_every_make_command_in_the_docs_is_a_target(page):
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    named = set(re.findall(r"(?:^\s*|`|&& )make ([a-z-]+)", page.read_text(encoding="utf-8"), re.MULTILINE))
    assert named <= targets


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_every_orchestrator_command_in_the_docs_exists(page):
    commands = {command.name or command.callback.__name__ for command in app.registered_commands}
    named = set(re.findall(r"(?:^|[`'])orchestrator ([a-z-]+)", page.read_text(encoding="utf-8"), re.MULTILINE))
    assert named - {"--help", "--version"} <= commands


def test_the_version_is_the_same_everywhere():
    version = version_in_pyproject()
    assert orchestrator.__version__ == version
    assert f"## [{version}]" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_the_ci_script_can_be_run():
    assert os.access(ROOT / ".ci" / "run", os.X_OK)


def test_every_dependency_is_pinned():
    pyproject = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    tables = pyproject.split("\ndependencies = [", 1)[1].split("\n[project.scripts]", 1)[0]
    listed = re.findall(r'^    "([A-Za-z0-9_.-]+)', tables, re.MULTILINE)
    constraints = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    pinned = {canonical(name) for name in re.findall(r"^([A-Za-z0-9_.-]+)==", constraints, re.MULTILINE)}
    assert listed
    assert {canonical(name) for name in listed} <= pinned


def canonical(name):
    """Package names ignore case, and `-`, `_` and `.` are the same in them."""
    return re.sub(r"[-_.]+", "-", name).lower()
