"""What a job promises, and what is said of one that does not keep it: in this process, without Ray."""

from __future__ import annotations

import itertools
import sys
import time
from types import ModuleType

import numpy as np
import pytest

from orchestrator.errors import DeploymentFailedError, InfeasibleError
from orchestrator.job import JobProcess, death, kernel_kills, read_report

GOOD = {
    "items alone": ({"items": 3}, (3, {}, None)),
    "with parts": ({"items": 1, "parts": {"load_ms": 2}}, (1, {"load_ms": 2.0}, None)),
    "numpy's numbers": ({"items": np.int64(4), "parts": {"a_ms": np.float32(0.5)}}, (4, {"a_ms": 0.5}, None)),
    "no parts": ({"items": 2.0, "parts": None}, (2, {}, None)),
    "with its accuracy": ({"items": 1, "accuracy": np.float32(0.5)}, (1, {}, 0.5)),
}


@pytest.mark.parametrize(("report", "read"), GOOD.values(), ids=GOOD)
def test_a_report_is_a_number_of_items_and_perhaps_parts_and_an_accuracy(report, read):
    assert tuple(read_report(report)) == read


BAD = {
    "nothing": (None, "step() has to return a mapping with `items`; it returned null"),
    "no items": ({}, "`items` of a step is how many items it processed, at least 1; found null"),
    "none processed": ({"items": 0}, "at least 1; found 0"),
    "half an item": ({"items": 1.5}, "at least 1; found 1.5"),
    "true": ({"items": True}, "at least 1; found true"),
    "another key": (
        {"items": 1, "item": 2},
        'step() returned "item", which has no meaning; it takes items, parts, accuracy',
    ),
    "parts in a list": ({"items": 1, "parts": [1]}, "a mapping of names to milliseconds; found [1]"),
    "a part without a unit": ({"items": 1, "parts": {"load": 1}}, 'has a name such as load_ms; found "load"'),
    "a part below 0": ({"items": 1, "parts": {"load_ms": -1}}, "load_ms of a step is -1, which is no number"),
    "an accuracy in percent": ({"items": 1, "accuracy": 99}, "`accuracy` of a step is a number from 0 to 1; found 99"),
    "an accuracy of true": ({"items": 1, "accuracy": True}, "a number from 0 to 1; found true"),
    "a part of nothing": ({"items": 1, "parts": {"load_ms": float("nan")}}, "is NaN, which is no number"),
}


@pytest.mark.parametrize(("report", "told"), BAD.values(), ids=BAD)
def test_anything_else_is_told_in_a_sentence(report, told):
    with pytest.raises(ValueError, match=r".") as caught:
        read_report(report)
    assert told in str(caught.value)


class Steps:
    """A job that counts how it is called."""

    def __init__(self, args):
        self.args, self.calls = args, []

    def step(self):
        self.calls.append("step")
        return {"items": self.args.get("items", 1)}

    def close(self):
        self.calls.append("close")


@pytest.fixture
def module(monkeypatch):
    """A module to import jobs from."""
    made = ModuleType("a_job")
    made.build = Steps
    monkeypatch.setitem(sys.modules, "a_job", made)
    return made


def built(**args):
    process = JobProcess()
    process.prepare("a_job:build", args)
    process.build()
    return process


def test_a_job_is_prepared_built_run_and_closed(module):
    order = []
    module.prepare = lambda args: order.append(("prepare", args))
    process = built(items=5)
    rows = process.run(0.0)
    assert order == [("prepare", {"items": 5})]
    assert [row.items for row in rows] == [5]
    assert rows[0].ended_s >= rows[0].started_s
    assert process.memory_mib() > 1
    process.close()
    assert process._job.calls == ["step", "close"]


def test_steps_go_on_until_their_time_is_over(module, monkeypatch):
    process, seconds = built(), itertools.count()
    monkeypatch.setattr(time, "perf_counter", lambda: float(next(seconds)))  # a second from one look to the next
    rows = process.run(9.0)
    assert [(row.started_s, row.ended_s) for row in rows] == [(1, 2), (3, 4), (5, 6), (7, 8), (9, 10)]


def raising(error, name):
    def fails(*args):
        raise error

    fails.__name__ = name
    return fails


ERRORS = {
    "its own mistake": (ValueError("model is 'x'"), DeploymentFailedError, "raised ValueError: model is 'x'"),
    "the last line is told": (RuntimeError("stack\n\n  cause\n"), DeploymentFailedError, "raised RuntimeError: cause"),
    "without a text": (KeyError(), DeploymentFailedError, "raised KeyError: KeyError"),
    "no memory": (MemoryError("33 GiB"), InfeasibleError, "there is not enough memory: 33 GiB"),
    "no memory in torch": (
        RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 1000 bytes"),
        InfeasibleError,
        "there is not enough memory: DefaultCPUAllocator",
    ),
    "no memory in ONNX Runtime": (
        RuntimeError("BFCArena::AllocateRawInternal Failed to allocate memory for requested buffer"),
        InfeasibleError,
        "there is not enough memory",
    ),
}


@pytest.mark.parametrize(("error", "kind", "told"), ERRORS.values(), ids=ERRORS)
@pytest.mark.parametrize("where", ["prepare", "build", "step"])
def test_whatever_raises_is_told_with_its_place(module, where, error, kind, told):
    job = Steps({})
    module.build = lambda args: job
    setattr(job if where == "step" else module, where, raising(error, where))
    with pytest.raises(kind) as caught:
        built().run(0.0)
    assert told in str(caught.value)
    assert where in str(caught.value)


def test_what_cannot_be_imported_is_told(module):
    with pytest.raises(DeploymentFailedError, match="import not_there raised ModuleNotFoundError"):
        JobProcess().prepare("not_there:build", {})
    with pytest.raises(DeploymentFailedError, match=r"import a_job raised AttributeError.*'other'"):
        JobProcess().prepare("a_job:other", {})


def test_what_is_no_job_is_told(module):
    module.build = lambda args: 7
    with pytest.raises(DeploymentFailedError, match=r"has to return a job with step\(\), not a int"):
        built()
    module.build = lambda args: Steps({"items": "many"})
    with pytest.raises(DeploymentFailedError, match=r"^`items` of a step is how many.*found \"many\""):
        built().run(0.0)


def test_a_job_can_say_that_a_configuration_cannot_be_had(module):
    module.build = raising(ValueError("infeasible: no fp16 on a CPU"), "build")
    with pytest.raises(InfeasibleError, match=r"^no fp16 on a CPU$"):
        built()


RAYS_GUESS = "The actor died unexpectedly.\nSome common causes include: (1) the OOM killer due to high memory usage"
DEATHS = {
    "the kernel's": (RAYS_GUESS, 1, InfeasibleError, "the kernel killed its process"),
    "Ray's": ("1 worker(s) were killed due to the node running low on memory.", 0, InfeasibleError, "Ray killed"),
    "a crash": ("it died:\n  SIGSEGV\n", 0, DeploymentFailedError, "the process of the job died: SIGSEGV"),
    "a crash that might have been memory": (RAYS_GUESS, 0, DeploymentFailedError, "the process of the job died"),
    "nobody knows": ("", 0, DeploymentFailedError, "nobody knows why"),
}


@pytest.mark.parametrize(("said", "kills", "kind", "told"), DEATHS.values(), ids=DEATHS)
def test_a_process_that_died_for_want_of_memory_is_infeasible(said, kills, kind, told):
    error = death(said, kills)
    assert type(error) is kind
    assert told in str(error)


def test_the_kernels_kills_are_counted_where_it_counts_them(tmp_path):
    (tmp_path / "vmstat").write_text("nr_free_pages 12\noom_kill 3\n")
    assert kernel_kills(tmp_path / "vmstat") == 3
    assert kernel_kills(tmp_path / "absent") == 0
