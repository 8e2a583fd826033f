"""The known releases: those of constraints.txt, whichever Python runs."""

from pathlib import Path

import pytest
from packaging.requirements import Requirement

from orchestrator.checklist import releases
from orchestrator.checklist.versions import KNOWN, Release

PINS = [
    Requirement(line)
    for line in (Path(__file__).parents[2] / "constraints.txt").read_text().splitlines()
    if line and not line.startswith("#")
]


@pytest.mark.parametrize("python", ["3.10", "3.11", "3.13"])
def test_the_known_releases_are_those_that_are_tested(python):
    wanted = {
        pin.name: str(pin.specifier).removeprefix("==")
        for pin in PINS
        if pin.name in KNOWN and (pin.marker is None or pin.marker.evaluate({"python_version": python}))
    }
    installed = dict.fromkeys(KNOWN, "0")
    numbers = tuple(int(number) for number in python.split("."))
    assert {one.name: one.known for one in releases(installed, numbers)} == wanted


def test_what_is_not_installed_is_not_missed():
    assert [one.name for one in releases({"ray": "2.60.0", "flask": "3"}, (3, 11))] == ["ray"]


@pytest.mark.parametrize(
    ("installed", "behind"),
    [("2.13.0", False), ("2.13.0+cpu", False), ("2.14.1", False), ("2.9.1", True), ("2.13", True), ("1.31.0", True)],
)
def test_who_is_behind(installed, behind):
    assert Release("torch", installed, "2.13.0").is_behind is behind
