"""A serving study as its page says to run it, but that nothing is confirmed, and the page that is made of it."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import pytest

from orchestrator.experiment import ENCODING, ITEMS
from tests.integration.conftest import ROOT, command_environment, orchestrator

SPACE = ROOT / "search_spaces" / "clothing.yaml"
MEASURED = ("COMPLETE", "INVALID")  # a machine that is shared is found out


@pytest.fixture(scope="module")
def place(cluster, tmp_path_factory):
    """A directory with the study in its store, and the study's JSON."""
    directory = tmp_path_factory.mktemp("clothing")
    (directory / SPACE.name).write_text(re.sub("^confirm: .*$", "confirm: {top: 0}", SPACE.read_text(), flags=re.M))
    options = ("--quick", "--trials", "1", "--address", cluster.address, "--json")
    ran = orchestrator("run", SPACE.name, *options, cwd=directory)
    assert ran.returncode == 0, ran.stderr
    (directory / "study.json").write_text(ran.stdout)
    return directory


def test_requests_are_sent_as_each_configuration_says(place):
    trials = json.loads((place / "study.json").read_text())["trials"]
    assert len(trials) == 2
    assert {trial["config"][ENCODING] for trial in trials} == {"json", "binary"}
    for trial in trials:
        assert trial["status"] in MEASURED, trial["reasons"]
        figures = trial["metrics"]
        assert figures["error_ratio"] == 0
        assert figures["items_per_s"] == pytest.approx(figures["throughput_rps"] * trial["config"][ITEMS])


def test_the_page_is_written_from_the_store(place):
    arguments = ["-m", "benchmarks.studies", "clothing", "-o", str(place / "page.md")]
    subprocess.run([sys.executable, *arguments], cwd=place, env=command_environment(), check=True, timeout=120)
    page = (place / "page.md").read_text()
    study = json.loads((place / "study.json").read_text())["study_id"]
    assert f"studies `{study[:8]}`" in page
    assert "_Not measured yet._" in page  # of the experiments that were not run
