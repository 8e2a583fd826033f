"""Variants of a model as arguments, and the cores that a replica keeps to itself."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from serve_apps.pinning import pin, take
from serve_apps.variant import AS_IT_IS, InfeasibleError, Variant


@pytest.mark.parametrize(
    ("args", "expected"),
    [
        pytest.param(None, AS_IT_IS, id="none"),
        pytest.param({"precision": "int8", "threads": 2}, Variant("int8", threads=2), id="precision"),
        pytest.param({"engine": "torch_compile"}, Variant(engine="torch_compile"), id="engine"),
        pytest.param({"pinning": True}, Variant(pinning=True), id="pinning"),
    ],
)
def test_args_become_a_variant_and_missing_ones_the_model_as_it_is(args, expected):
    assert Variant.from_args(args) == expected


@pytest.mark.parametrize(
    ("args", "words"),
    [
        ({"precision": "int4"}, "args.precision is 'int4'; it must be 'fp32' or 'fp16' or 'int8' or 'int8_static'"),
        ({"engine": "tensorrt"}, "args.engine is 'tensorrt'; it must be 'onnxruntime' or"),
        ({"threads": 0}, "args.threads is 0; it must be an integer from 1 to 256"),
        ({"pinning": "cores"}, "args.pinning is 'cores'; it must be true or false"),
        ({"data": "held.csv"}, "args.data is 'held.csv'; it must be the path of an .npz file"),
        ({"data": "/nowhere/held.npz"}, "there is no such file (/nowhere/held.npz)"),
        ({"presicion": "int8"}, "did you mean 'precision'?"),
    ],
)
def test_an_argument_that_cannot_be_is_named(args, words):
    with pytest.raises(ValueError, match=re.escape(words)) as caught:
        Variant.from_args(args)
    assert not isinstance(caught.value, InfeasibleError)


def test_what_no_engine_does_is_infeasible_and_begins_with_the_word():
    with pytest.raises(InfeasibleError, match=r"^infeasible: args\.precision is 'int8' and args\.engine is 'torch'"):
        Variant.from_args({"precision": "int8", "engine": "torch"})


@pytest.mark.parametrize(("threads", "asked", "expected"), [(None, None, 1), (2, None, 2), (None, 3, 3), (2, 2, 2)])
def test_threads_are_stated_once(threads, asked, expected):
    assert Variant(threads=threads).within_batch(asked) == expected


def test_threads_that_are_stated_twice_and_differ_are_a_mistake():
    with pytest.raises(ValueError, match=r"args\.threads is 2 and user_config\.intra_op_threads is 1: give one"):
        Variant(threads=2).within_batch(1)


def test_replicas_take_disjoint_cores_the_lowest_first(tmp_path):
    held = [take(2, {0, 1, 4, 5, 6}, patience_s=0, folder=tmp_path) for _ in range(2)]
    assert [cores.numbers for cores in held] == [{0, 1}, {4, 5}]
    with pytest.raises(InfeasibleError, match=r"2 of this node's cores \[0, 1, 4, 5, 6\] are not free"):
        take(2, {0, 1, 4, 5, 6}, patience_s=0, folder=tmp_path)
    assert take(1, {0, 1, 4, 5, 6}, patience_s=0, folder=tmp_path).numbers == {6}, "none was kept in vain"


def test_cores_that_are_given_back_are_free_again(tmp_path):
    take(1, {3}, patience_s=0, folder=tmp_path).release()
    assert take(1, {3}, patience_s=0, folder=tmp_path).numbers == {3}


def test_more_threads_than_cores_cannot_be_pinned(tmp_path):
    with pytest.raises(InfeasibleError, match="a replica with 3 threads has to have as many cores"):
        take(3, {0, 1}, patience_s=0, folder=tmp_path)


def test_every_thread_of_a_pinned_process_keeps_to_its_core(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    before = os.sched_getaffinity(0)
    cores = pin(1, patience_s=0)
    try:
        assert os.sched_getaffinity(0) == cores.numbers
        assert len(cores.numbers) == 1
    finally:
        cores.release()
        for thread in Path("/proc/self/task").iterdir():
            os.sched_setaffinity(int(thread.name), before)
