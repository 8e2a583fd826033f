"""Clocks of GPUs that are not there."""

from __future__ import annotations

import math
import sys

import pytest

from orchestrator.limits import ClockError, Clocks
from orchestrator.limits import __main__ as starter
from tests.fakes.nvml import NO_PERMISSION, FakeNvml


def test_all_gpus_of_a_machine_run_at_the_clock_until_it_is_reset():
    nvml = FakeNvml(gpus=3)
    clocks = Clocks(nvml)
    clocks.lock(900.4)
    assert nvml.clocks == [900, 900, 900]
    assert clocks.now() == 900
    clocks.reset()
    assert nvml.clocks == [None, None, None]
    assert nvml.open == 0, "the library is left as it was found"


TROUBLE = {
    "no driver": (FakeNvml(starts=False), "NVML does not start: Driver Not Loaded"),
    "no GPU": (FakeNvml(gpus=0), "it has no NVIDIA GPU"),
    "no permission": (
        FakeNvml(refused={0: NO_PERMISSION}),
        r"NVML refuses a clock of 900 MHz: Insufficient Permissions \(Ray has to run as root for it\)",
    ),
    "a clock that it does not have": (
        FakeNvml(refused={1: (2, "Invalid Argument")}),
        "NVML refuses a clock of 900 MHz: Invalid Argument$",
    ),
}


@pytest.mark.parametrize(("nvml", "words"), TROUBLE.values(), ids=TROUBLE)
def test_where_a_clock_cannot_be_set_the_error_says_why_and_no_gpu_keeps_it(nvml, words):
    clocks = Clocks(nvml)
    with pytest.raises(ClockError, match=words):
        clocks.lock(900)
    assert not any(nvml.clocks)
    clocks.reset()
    assert nvml.open == 0


@pytest.mark.parametrize("nvml", [FakeNvml(starts=False), FakeNvml(gpus=0)], ids=["no driver", "no GPU"])
def test_where_there_is_nothing_to_read_the_clock_is_not_known(nvml):
    assert math.isnan(Clocks(nvml).now())


def test_without_the_package_the_error_names_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "pynvml", None)
    with pytest.raises(ClockError, match="the package nvidia-ml-py is not installed"):
        Clocks().lock(900)
    Clocks().reset()


def started(monkeypatch, *options):
    """The command that a worker becomes; what the options set is set by then."""
    commands = []
    monkeypatch.setattr(sys, "argv", ["limits", *options, "python", "-x"])
    monkeypatch.setattr(starter.os, "execvp", lambda file, words: commands.append(words))
    starter.main()
    return commands


def test_a_worker_that_is_started_with_a_clock_sets_it_without_a_control_group(monkeypatch):
    nvml = FakeNvml()
    monkeypatch.setitem(sys.modules, "pynvml", nvml)
    monkeypatch.setattr(starter.Groups, "make", lambda *_: pytest.fail("a group was made"))
    assert started(monkeypatch, "--gpu-clock-meanwhile", "900") == [["python", "-x"]]
    assert nvml.clocks == [None, None], "in a trial somebody else sets it"
    assert started(monkeypatch, "--gpu-clock-mhz", "900") == [["python", "-x"]]
    assert nvml.clocks == [900, 900]


def test_a_worker_whose_clock_cannot_be_set_does_not_start(monkeypatch):
    monkeypatch.setitem(sys.modules, "pynvml", FakeNvml(gpus=0))
    with pytest.raises(SystemExit, match="the clock of the GPUs cannot be set on this machine: it has no NVIDIA GPU"):
        started(monkeypatch, "--gpu-clock-mhz", "900")
