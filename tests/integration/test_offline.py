"""An offline study with real Ray: each trial in a process of its own, and what becomes of jobs that break."""

from __future__ import annotations

import json
import signal
import time
from pathlib import Path

import psutil
import pytest
import yaml

from tests.integration.conftest import orchestrator, run_states, start_orchestrator, stop

EXPERIMENT = """
name: job
mode: offline
app:
  import_path: jobs:build
  args: {how: works, batch_size: 4}
measure: {warmup_s: 0, warmup_max_s: 0.1, min_s: 0.1, max_s: 1, validity: warn}
deploy_timeout_s: 20
objective: {maximize: items_per_s}
space:
  args.how: {choice: [works, raises, allocates, hangs, dies]}
  args.batch_size: {choice: [4]}
search: {algorithm: grid, trials: 3}
confirm: {top: 0}
"""
JOBS = '''
"""Jobs that work, and jobs that break, each in its way."""

import os
import time
from pathlib import Path


class Job:
    def __init__(self, how, batch_size):
        self.how, self.items = how, batch_size
        with Path(__file__).with_name("processes").open("a") as file:
            print(os.getpid(), file=file)

    def step(self):
        if self.how == "raises":
            raise KeyError("there is no such thing")
        if self.how == "allocates":
            bytearray(1 << 60)
        if self.how == "dies":
            os._exit(3)
        time.sleep(600 if self.how == "hangs" else 0.002)
        return {"items": self.items, "parts": {"sleep_ms": 2.0}, "accuracy": 0.875}


def build(args):
    return Job(**args)
'''


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    """A directory with jobs, and with the study of those that end quickly; its JSON is in `study.json`."""
    directory = tmp_path_factory.mktemp("offline")
    (directory / "jobs.py").write_text(JOBS)
    (directory / "job.yaml").write_text(EXPERIMENT.replace("allocates, hangs, dies", "allocates, dies"))
    ran = orchestrator("run", "job.yaml", "--json", cwd=directory)
    assert ran.returncode == 0, ran.stderr
    (directory / "study.json").write_text(ran.stdout)
    return directory


@pytest.fixture(scope="module")
def trials(place) -> dict:
    """One trial of each kind of job."""
    return {trial["config"]["args.how"]: trial for trial in json.loads((place / "study.json").read_text())["trials"]}


def test_a_job_is_measured_step_by_step(trials):
    trial = trials["works"]
    assert trial["status"] == "COMPLETE", trial["reasons"]
    figures = trial["metrics"]
    assert 2 <= figures["latency_mean_ms"] < 100
    assert figures["items_per_s"] == pytest.approx(1000 / figures["item_ms"])
    assert figures["item_ms_lo"] < figures["item_ms"] < figures["item_ms_hi"]
    assert (figures["part_sleep_ms"], figures["accuracy"]) == (2.0, 0.875)
    assert figures["build_s"] > 0
    assert figures["memory_mib"] > 20


def test_what_breaks_says_how(trials):
    assert trials["raises"]["status"] == "FAILED"
    assert trials["raises"]["reasons"] == ["step() raised KeyError: 'there is no such thing'"]
    assert trials["allocates"]["status"] == "INFEASIBLE"
    assert "there is not enough memory" in trials["allocates"]["reasons"][0]
    assert trials["dies"]["status"] == "FAILED"
    assert "the process of the job died" in trials["dies"]["reasons"][0]


def test_every_trial_has_a_process_of_its_own(place):
    processes = (place / "processes").read_text().split()
    assert len(set(processes)) == len(processes) == len(json.loads((place / "study.json").read_text())["trials"])


def test_the_winner_is_exported_as_a_job(place):
    exported = orchestrator("export", cwd=place)
    assert exported.returncode == 0, exported.stderr
    assert "a job, and no Serve config" in exported.stdout
    job = yaml.safe_load(exported.stdout)
    assert job == {"import_path": "jobs:build", "args": {"how": "works", "batch_size": 4}}


def test_ctrl_c_ends_a_job_that_hangs(place):
    (place / "hang.yaml").write_text(EXPERIMENT.replace("how: works", "how: hangs").replace("name: job", "name: hang"))
    before = len((place / "processes").read_text().split())
    process = start_orchestrator("run", "hang.yaml", cwd=place)
    deadline = time.monotonic() + 120
    while len(started := (place / "processes").read_text().split()) == before:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    output = stop(process, signal.SIGINT)
    assert process.returncode == 130, output
    assert "Traceback" not in output
    assert not psutil.pid_exists(int(started[-1]))
    assert run_states("hang", place) == ["KILLED", "KILLED"]
