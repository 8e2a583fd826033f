"""Knobs and arguments of the application: what is allowed, and what a mistake is told."""

import pytest

from serve_apps.settings import Settings, Source

VALID = {
    "none": (None, Settings()),
    "empty": ({}, Settings()),
    "batching": (
        {"max_batch_size": 8, "batch_wait_timeout_s": 0.002},
        Settings(max_batch_size=8, batch_wait_timeout_s=0.002),
    ),
    "a whole number of seconds": ({"batch_wait_timeout_s": 1}, Settings(batch_wait_timeout_s=1)),
    "everything": (
        {
            "max_batch_size": 4096,
            "batch_wait_timeout_s": 0.0,
            "compute": "executor",
            "max_concurrent_batches": 2,
            "intra_op_threads": 2,
        },
        Settings(4096, 0.0, "executor", 2, 2),
    ),
}


@pytest.mark.parametrize(("user_config", "expected"), VALID.values(), ids=VALID)
def test_user_config_becomes_settings_and_missing_keys_their_defaults(user_config, expected):
    assert Settings.from_user_config(user_config) == expected


INVALID = {
    "no mapping": ([1], "user_config is [1]; it must be a mapping"),
    "an unknown key": ({"max_batch": 3}, "user_config.max_batch is 3, but there is no such key"),
    "a typo": ({"max_batch_sise": 3}, "did you mean 'max_batch_size'?"),
    "a batch of none": (
        {"max_batch_size": 0},
        "user_config.max_batch_size is 0; it must be an integer from 1 to",
    ),
    "a batch out of range": ({"max_batch_size": 4097}, "from 1 to 4096"),
    "a boolean as a number": (
        {"max_batch_size": True},
        "user_config.max_batch_size is True; it must be an integer",
    ),
    "a fraction as a count": (
        {"max_batch_size": 8.0},
        "user_config.max_batch_size is 8.0; it must be an integer",
    ),
    "text as a number": (
        {"batch_wait_timeout_s": "1"},
        "batch_wait_timeout_s is '1'; it must be a number from 0 to",
    ),
    "a negative wait": ({"batch_wait_timeout_s": -0.1}, "it must be a number from 0 to"),
    "NaN": ({"batch_wait_timeout_s": float("nan")}, "batch_wait_timeout_s is nan; it must be"),
    "an unknown mode": (
        {"compute": "gpu"},
        "user_config.compute is 'gpu'; it must be 'inline' or 'executor'",
    ),
    "a mode that is a list": (
        {"compute": []},
        "user_config.compute is []; it must be 'inline' or 'executor'",
    ),
    "no batches": ({"max_concurrent_batches": 0}, "user_config.max_concurrent_batches is 0"),
    "no threads": (
        {"intra_op_threads": 0},
        "user_config.intra_op_threads is 0; it must be an integer from 1",
    ),
}


@pytest.mark.parametrize(("user_config", "message"), INVALID.values(), ids=INVALID)
def test_a_bad_knob_is_named_with_its_value_and_what_is_allowed(user_config, message):
    with pytest.raises(ValueError, match="user_config") as caught:
        Settings.from_user_config(user_config)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("compute", "expected"), [("inline", 1), ("executor", 3)], ids=["inline holds the loop", "executor"]
)
def test_batches_run_side_by_side_only_in_an_executor(compute, expected):
    assert Settings(compute=compute, max_concurrent_batches=3).concurrent_batches == expected


@pytest.mark.parametrize("args", [None, {}, {"model": "digits"}], ids=["none", "empty", "by name"])
def test_the_bundled_model_is_the_default(args):
    assert Source.from_args(args) == Source("digits", None)


def test_a_file_is_served_under_its_stem(tmp_path):
    file = tmp_path / "resnet50.onnx"
    file.touch()
    source = Source.from_args({"model": str(file)})
    assert (source.name, source.path()) == ("resnet50", file)


BAD_ARGS = {
    "no mapping": ("digits", "args is 'digits'; it must be a mapping"),
    "an unknown key": (
        {"modle": "digits"},
        "args.modle is 'digits', but there is no such key (did you mean 'model'?)",
    ),
    "an unknown model": (
        {"model": "didgits"},
        "args.model is 'didgits'; it must be 'digits' or 'clothing' or 'svhn' or",
    ),
    "no text": ({"model": 3}, "args.model is 3; it must be"),
    "a list": ({"model": ["digits"]}, "args.model is ['digits']; it must be"),
    "no such file": ({"model": "/nowhere/x.onnx"}, "there is no such file (/nowhere/x.onnx)"),
}


@pytest.mark.parametrize(("args", "message"), BAD_ARGS.values(), ids=BAD_ARGS)
def test_bad_args_are_named_with_what_is_allowed(args, message):
    with pytest.raises(ValueError, match="args") as caught:
        Source.from_args(args)
    assert message in str(caught.value)
