"""The experiment file: what it means, and what a reader is told when it is wrong."""

import pickle
import re
from pathlib import Path

import pydantic
import pytest
import yaml

from orchestrator.errors import ExperimentError, UsageError
from orchestrator.experiment import ALGORITHMS, load_experiment
from orchestrator.experiment.source import Source
from orchestrator.result import Objective
from orchestrator.space import LogUniform

VALID = """\
app:
  import_path: serve_apps.classifier:build
  args: {model: digits}
  deployments:
    - name: Classifier
      max_ongoing_requests: 256
      user_config: {max_batch_size: 1}
load: {closed_loop: {concurrency: 32}}
objective: {maximize: throughput_rps}
space:
  Classifier.user_config.max_batch_size: {choice: [1, 2, 4]}
"""


@pytest.fixture
def load(tmp_path):
    """Loads a text as an experiment file."""

    def load(text, name="digits.yaml"):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return load_experiment(path)

    return load


@pytest.fixture
def problems(load):
    """What is wrong with a text, one line of text for each problem."""

    def problems(text):
        with pytest.raises(ExperimentError) as caught:
            load(text)
        return [str(problem) for problem in caught.value.problems]

    return problems


def edited(old, new):
    """The valid file with one passage replaced."""
    assert old in VALID
    return VALID.replace(old, new, 1)


# --- what a file means ---


SETTINGS = {"budget": None, "stop_early": False, "levels": 5, "epsilon": 0.3, "random_trials": None}
"""Of algorithms that a file does not name."""


def test_what_a_file_does_not_say_has_a_default(load, tmp_path):
    experiment = load(VALID)
    assert experiment.name == "digits"
    assert experiment.file == tmp_path / "digits.yaml"
    assert experiment.text == VALID
    assert experiment.load.closed_loop.concurrency == 32
    measure = {
        "warmup_s": 1,
        "warmup_max_s": 10,
        "min_s": 2,
        "max_s": 15,
        "precision": 0.05,
        "requests": None,
        "ceiling": True,
        "validity": "strict",
    }
    assert experiment.measure.model_dump() == measure
    assert experiment.deploy_timeout_s == 60
    assert experiment.search.model_dump() == {"algorithm": "surrogate", "trials": 20, "seed": 0, **SETTINGS}
    assert experiment.confirm.model_dump() == {"top": 3, "replications": 3, "max_replications": None}
    assert experiment.cluster.model_dump() == {"data_plane": None, "num_cpus": None}
    assert experiment.slo.latency_limits_ms() == {}
    assert experiment.workload.payloads is None


def test_what_a_file_says_is_kept(load):
    experiment = load(
        "name: mine\ndeploy_timeout_s: 5\n"
        + VALID
        + "measure: {warmup_s: 0, min_s: 3, max_s: 3, precision: 1e-1}\nslo: {p99_ms: 50}\n"
        + "workload: {payloads: 'a.b:c'}\nsearch: {algorithm: random, trials: 3, seed: 7}\n"
        + "confirm: {top: 0, replications: 5, max_replications: 8}\ncluster: {data_plane: proxy, num_cpus: 2}\n"
    )
    assert experiment.name == "mine"
    assert experiment.deploy_timeout_s == 5
    assert experiment.measure.precision == 0.1
    assert experiment.slo.latency_limits_ms() == {"latency_p99_ms": 50}
    assert experiment.workload.payloads == "a.b:c"
    assert experiment.search.model_dump() == {"algorithm": "random", "trials": 3, "seed": 7, **SETTINGS}
    assert experiment.confirm.model_dump() == {"top": 0, "replications": 5, "max_replications": 8}
    assert experiment.cluster.model_dump() == {"data_plane": "proxy", "num_cpus": 2}


def test_one_objective_may_stand_for_itself_or_in_a_list(load):
    alone, listed = (
        load(edited("{maximize: throughput_rps}", text))
        for text in ("{minimize: latency_p99.9_ms}", "[{minimize: latency_p99.9_ms}]")
    )
    assert alone.objectives == listed.objectives == (Objective("latency_p999_ms", maximize=False),)


def test_the_first_of_several_objectives_leads(load):
    text = edited("{maximize: throughput_rps}", "[{maximize: goodput_rps}, {minimize: cost_per_million}]")
    experiment = load(text + "prices: {cpu_hour: 0.04, memory_gb_hour: 0.005}\nslo: {p99.9_ms: 100}\n")
    assert [str(objective) for objective in experiment.objectives] == [
        "maximize goodput_rps",
        "minimize cost_per_million",
    ]
    assert experiment.objective is experiment.objectives[0]
    assert experiment.prices.model_dump(exclude_none=True) == {"cpu_hour": 0.04, "memory_gb_hour": 0.005}
    assert experiment.slo.limits() == {"latency_p999_ms": 100}
    assert pickle.loads(pickle.dumps(experiment)) == experiment


@pytest.mark.parametrize(
    ("confirm", "trials", "count", "most"),
    [
        pytest.param("{}", 20, 12, 30, id="the best three and the baseline"),
        pytest.param("{top: 5, replications: 4}", 2, 12, 28, id="no more than there are"),
        pytest.param("{max_replications: 3}", 20, 12, 12, id="nobody goes on"),
        pytest.param("{top: 0}", 20, 0, 0, id="switched off"),
    ],
)
def test_the_replications_that_confirm_can_be_counted_before(load, confirm, trials, count, most):
    plan = load(VALID + f"confirm: {confirm}\n").confirm
    assert (plan.count(trials), plan.count_most(trials)) == (count, most)


def test_a_relative_path_becomes_absolute(load, tmp_path, monkeypatch):
    load(VALID)
    monkeypatch.chdir(tmp_path)
    assert load_experiment(Path("digits.yaml")).file == tmp_path / "digits.yaml"


def test_an_experiment_is_frozen_and_can_be_sent_to_another_process(load):
    experiment = load(VALID)
    assert pickle.loads(pickle.dumps(experiment)) == experiment
    with pytest.raises(pydantic.ValidationError, match="frozen"):
        experiment.name = "other"


def test_numbers_in_scientific_notation_are_numbers(load):
    space = "  Classifier.user_config.wait_s: {loguniform: [1e-4, 2E-2]}\n"
    text = edited("max_batch_size: 1}", "max_batch_size: 1, wait_s: 1e-3, at: 2024-01-31}") + space
    experiment = load(text)
    assert experiment.space.knobs["Classifier.user_config.wait_s"] == LogUniform(low=0.0001, high=0.02)
    user_config = experiment.app["deployments"][0]["user_config"]
    assert user_config == {"max_batch_size": 1, "wait_s": 0.001, "at": "2024-01-31"}


def test_anchors_and_merge_keys_work(load):
    text = edited("args: {model: digits}", "args: &args {model: digits}\n  runtime_env: {env_vars: {<<: *args}}")
    assert load(text).app["runtime_env"] == {"env_vars": {"model": "digits"}}


def test_name_and_route_prefix_of_the_app_are_kept(load):
    app = load(edited("app:\n", "app:\n  name: mine\n  route_prefix: /mine\n")).app
    assert (app["name"], app["route_prefix"]) == ("mine", "/mine")


# --- the baseline ---


def test_the_baseline_is_what_the_file_says_and_else_what_serve_does(load):
    experiment = load(
        VALID
        + "  Classifier.num_replicas: {randint: [1, 2]}\n"
        + "  Classifier.max_ongoing_requests: {choice: [8, 64]}\n"
        + "  Classifier.ray_actor_options.num_cpus: {choice: [0.5, 1]}\n"
        + "  args.model: {choice: [digits, other]}\n"
    )
    assert experiment.baseline() == {
        "Classifier.user_config.max_batch_size": 1,
        "Classifier.num_replicas": 1,
        "Classifier.max_ongoing_requests": 256,
        "Classifier.ray_actor_options.num_cpus": 1,
        "args.model": "digits",
    }


CONDITIONAL = """\
  args.precision:
    condition:
      fp32: {}
      int8:
        args.calibration: {choice: [min-max, entropy]}
"""


@pytest.mark.parametrize(
    ("args", "expected"),
    [
        pytest.param("precision: fp32", {"args.precision": "fp32"}, id="a branch without knobs"),
        pytest.param(
            "precision: int8, calibration: min-max",
            {"args.precision": "int8", "args.calibration": "min-max"},
            id="a branch with knobs",
        ),
        pytest.param("precision: fp16", {"args.precision": "fp16"}, id="no branch"),
    ],
)
def test_the_baseline_has_the_knobs_of_its_own_branch_only(load, args, expected):
    experiment = load(edited("{model: digits}", f"{{model: digits, {args}}}") + CONDITIONAL)
    assert experiment.baseline() == {"Classifier.user_config.max_batch_size": 1, **expected}


def test_a_branch_of_the_baseline_needs_values_to_start_from(problems):
    text = edited("{model: digits}", "{model: digits, precision: int8}") + CONDITIONAL
    assert problems(text) == [
        "line 16: space.args.precision.condition.int8.args.calibration: "
        "has no value to start from; put its baseline value into app"
    ]


# --- overrides ---


def test_overrides_replace_what_is_given_and_nothing_else(load):
    experiment = load(VALID)
    assert experiment.with_overrides() == experiment
    changed = experiment.with_overrides(trials=3, seed=5, algorithm="random")
    assert changed.search.model_dump() == {"algorithm": "random", "trials": 3, "seed": 5, **SETTINGS}
    assert changed.app == experiment.app
    assert experiment.search.trials == 20


@pytest.mark.parametrize(
    ("override", "message"),
    [
        pytest.param({"trials": 0}, "trials: expected a number of at least 1, found 0", id="trials"),
        pytest.param({"seed": -1}, "seed: expected a number of at least 0, found -1", id="seed"),
        pytest.param(
            {"algorithm": "randon"},
            "algorithm: expected 'surrogate', 'hyperopt', 'random', 'grid', 'epsilon_greedy', 'gp', 'tpe' or 'nsga2', "
            "found 'randon'; did you mean 'random'?",
            id="algorithm",
        ),
    ],
)
def test_overrides_are_validated(load, override, message):
    with pytest.raises(UsageError) as caught:
        load(VALID).with_overrides(**override)
    assert str(caught.value) == message


def test_the_algorithms_are_the_ones_that_the_file_may_name(load):
    for algorithm in ALGORITHMS:
        assert load(VALID + f"search: {{algorithm: {algorithm}}}\n").search.algorithm == algorithm


# --- what a reader is told ---

TOP_KEYS = (
    "name, mode, app, deploy_timeout_s, space, across, workload, load, measure, slo, objective, prices, search, "
    "confirm, cluster, workloads"
)

WRONG_SECTIONS = {
    "unknown key at the top": (
        VALID + "serch: {}\n",
        [f"line 12: serch: unknown key 'serch'; did you mean 'search'? allowed: {TOP_KEYS}"],
    ),
    "unknown key like no other": (
        VALID + "zzz: 1\n", [f"line 12: zzz: unknown key 'zzz'; allowed: {TOP_KEYS}"],
    ),
    "key that is no text": (VALID + "1: 2\n", [f"line 12: [1]: unknown key '1'; allowed: {TOP_KEYS}"]),
    "unknown key in a section": (
        VALID + "measure:\n  min_s: 2\n  precison: 0.1\n",
        ["line 14: measure.precison: unknown key 'precison'; did you mean 'precision'? "
         "allowed: warmup_s, warmup_max_s, min_s, max_s, precision, requests, ceiling, validity"],
    ),
    "required keys missing": (
        "name: empty\n",
        ["app: is missing; the Serve application to tune, as in a Serve config",
         "load: is missing; for example {closed_loop: {concurrency: 32}}",
         "objective: is missing; for example {maximize: throughput_rps}",
         "space: is missing; the options to tune and their ranges"],
    ),
    "key of a section missing": (
        edited("{concurrency: 32}", "{}"), ["line 8: load.closed_loop.concurrency: is missing"],
    ),
    "text where a number belongs": (
        edited("concurrency: 32", "concurrency: many"),
        ["line 8: load.closed_loop.concurrency: expected a whole number, found 'many'"],
    ),
    "quoted number": (
        edited("concurrency: 32", "concurrency: '32'"),
        ["line 8: load.closed_loop.concurrency: expected a whole number, found '32'"],
    ),
    "truth where a number belongs": (
        VALID + "search: {trials: yes}\n", ["line 12: search.trials: expected a whole number, found true"],
    ),
    "fraction where a whole number belongs": (
        VALID + "search: {seed: 1.5}\n", ["line 12: search.seed: expected a whole number, found 1.5"],
    ),
    "too few replications": (
        VALID + "confirm: {replications: 2}\n",
        ["line 12: confirm.replications: expected a number of at least 3, found 2"],
    ),
    "fewer replications at most than at least": (
        VALID + "confirm: {replications: 5, max_replications: 4}\n",
        ["line 12: confirm: max_replications has to be at least replications, 5"],
    ),
    "number out of range": (
        edited("concurrency: 32", "concurrency: 0"),
        ["line 8: load.closed_loop.concurrency: expected a number of at least 1, found 0"],
    ),
    "number that is none": (
        VALID + "measure: {warmup_s: .nan}\n",
        ["line 12: measure.warmup_s: expected a finite number, found nan"],
    ),
    "null where a number belongs": (
        VALID + "search: {trials: null}\n",
        ["line 12: search.trials: expected a whole number, found nothing (null)"],
    ),
    "list where a mapping belongs": (
        VALID + "search: [hyperopt]\n",
        [
            "line 12: search: expected a mapping with the keys algorithm, trials, seed, budget, stop_early, levels, "
            "epsilon, random_trials; found a list of 1"
        ],
    ),
    "wrong name of a value": (
        VALID + "cluster: {data_plane: haprox}\n",
        ["line 12: cluster.data_plane: expected 'haproxy' or 'proxy', found 'haprox'; "
         "did you mean 'haproxy'?"],
    ),
    "limits in the wrong order": (
        VALID + "measure: {min_s: 9, max_s: 3}\n", ["line 12: measure.max_s: max_s (3) is below min_s (9)"],
    ),
    "limit above the default of the other": (
        VALID + "measure: {min_s: 20}\n", ["line 12: measure: max_s (15) is below min_s (20)"],
    ),
    "deploy time-out": (
        VALID + "deploy_timeout_s: soon\n",
        ["line 12: deploy_timeout_s: expected a number above 0, found 'soon'"],
    ),
    "name with a space": (
        "name: my study\n" + VALID,
        ["line 1: name: expected letters, digits, '.', '_' and '-', beginning with a letter or digit; "
         "found 'my study'"],
    ),
    "unknown limit": (
        VALID + "slo: {p99: 50}\n",
        ["line 12: slo.p99: unknown key 'p99'; did you mean 'p99_ms'? "
         "allowed: mean_ms, p50_ms, p90_ms, p95_ms, p99_ms, max_ms, error_ratio, min_accuracy, "
         "and any other percentile, such as p99.9_ms"],
    ),
    "a cost without prices": (
        edited("{maximize: throughput_rps}", "[{maximize: throughput_rps}, {minimize: cost_per_million}]"),
        ["line 9: objective[1].minimize: cost_per_million follows from prices, and there are none; "
         "add for example prices: {node_hour: 0.5}, or prices: {cpu_hour: 0.04, gpu_hour: 1.2}"],
    ),
    "prices that say nothing": (
        VALID + "prices: {}\n",
        ["line 12: prices: states no price; write {node_hour: 0.5}, or for example {cpu_hour: 0.04, gpu_hour: 1.2}"],
    ),
    "prices of two kinds": (
        VALID + "prices: {node_hour: 0.5, cpu_hour: 0.04}\n",
        ["line 12: prices: node_hour is the price of a whole node, cpu_hour included; state one or the other"],
    ),
    "a cost with prices that cannot be read": (
        edited("maximize: throughput_rps", "minimize: cost_per_million") + "prices: {node_hour: free}\n",
        ["line 12: prices.node_hour: expected a number, found 'free'"],
    ),
    "prices of nothing that is reserved": (
        VALID + "prices: {gpu_hour: 1.2}\n",
        ["line 12: prices: nothing that the deployments in app reserve has a price; "
         "they reserve 1 CPUs, 0 GPUs and 0 bytes of memory"],
    ),
    "one of several objectives": (
        edited("{maximize: throughput_rps}", "\n  - {maximize: throughput_rps}\n  - {minimize: latency_p9_ms}"),
        ["line 11: objective[1].minimize: unknown figure to minimize 'latency_p9_ms'; did you mean 'latency_p99_ms'? "
         "allowed: latency_mean_ms, latency_p50_ms, latency_p90_ms, latency_p95_ms, latency_p99_ms, latency_max_ms, "
         "cost_per_million, and any other percentile, such as latency_p99.9_ms"],
    ),
}  # fmt: skip

WRONG_APPS = {
    "no mapping": (edited(VALID[: VALID.index("load:")], "app: serve_apps.classifier:build\n"), [
        "line 1: app: expected a Serve application, found 'serve_apps.classifier:build'",
    ]),
    "no import path": (edited("  import_path: serve_apps.classifier:build\n", ""), [
        "line 1: app.import_path: is missing",
    ]),
    "bad import path": (edited("serve_apps.classifier:build", "a:b:c"), [
        'line 2: app.import_path: Got invalid import path "a:b:c". An import path may have at most one colon',
    ]),
    "unknown field": (edited("args:", "arg:"), [
        "line 3: app.arg: unknown key 'arg'; did you mean 'args'? allowed: name, route_prefix, import_path, "
        "runtime_env, host, port, deployments, autoscaling_policy, args, logging_config, "
        "external_scaler_enabled",
    ]),
    "unknown option, which Serve would ignore": (edited("max_ongoing_requests", "max_ongoing_request"), [
        "line 6: app.deployments[0].max_ongoing_request: unknown key 'max_ongoing_request'; "
        "did you mean 'max_ongoing_requests'?",
    ]),
    "wrong value": (edited("max_ongoing_requests: 256", "max_ongoing_requests: 0"), [
        "line 6: app.deployments[0].max_ongoing_requests: expected a number above 0, found 0",
    ]),
    "wrong value in options that Serve looks at later": (
        edited("max_ongoing_requests: 256", "autoscaling_config: {min_replicas: 3, max_replicas: 2}"), [
            "line 6: app.deployments[0].autoscaling_config: "
            "max_replicas (2) must be greater than or equal to min_replicas (3)!",
        ]),
    "deployment that is no mapping": (edited("    - name:", "    - Other\n    - name:"), [
        "line 5: app.deployments[0]: expected a mapping with name and options, found 'Other'",
    ]),
    "deployment twice": (edited("load:", "    - name: Classifier\nload:"), [
        "line 8: app.deployments[1].name: the deployment 'Classifier' is listed twice",
    ]),
    "port, which is the cluster's": (edited("app:\n", "app:\n  port: 8001\n"), [
        "line 1: app: Port 8001 is set in the config for application `app`.",
    ]),
    "number that JSON has not": (edited("{model: digits}", "{model: .inf}"), [
        "line 3: app.args.model: expected a finite number, found inf",
    ]),
    "key that is no text": (edited("{model: digits}", "{1: digits}"), [
        "line 3: app.args[1]: the key 1 is not text; put it in quotes",
    ]),
}  # fmt: skip

KINDS = "choice, uniform, loguniform, quniform, randint, lograndint, condition"
APP_NAMES = "Classifier, import_path, runtime_env, autoscaling_policy, args, logging_config, external_scaler_enabled"
WRONG_SPACES = {
    "empty": (edited("space:\n  Classifier.user_config.max_batch_size: {choice: [1, 2, 4]}", "space: {}"), [
        "line 10: space: expected a mapping of paths to knobs, found an empty mapping",
    ]),
    "unknown kind of knob": (VALID + "  Classifier.num_replicas: {randit: [1, 2]}\n", [
        "line 12: space.Classifier.num_replicas: unknown kind of knob 'randit'; did you mean 'randint'? "
        f"allowed: {KINDS}",
    ]),
    "range the wrong way round": (VALID + "  Classifier.num_replicas: {randint: [2, 1]}\n", [
        "line 12: space.Classifier.num_replicas: low 2 is above high 1",
    ]),
    "unknown deployment": (VALID + "  Clasifier.num_replicas: {randint: [1, 2]}\n", [
        "line 12: space.Clasifier.num_replicas: unknown deployment or field of the app 'Clasifier'; "
        f"did you mean 'Classifier'? allowed: {APP_NAMES}",
    ]),
    "unknown option and unknown kind": (VALID + "  Classifier.num_replica: {randit: [1, 2]}\n", [
        "line 12: space.Classifier.num_replica: unknown option 'num_replica'; did you mean 'num_replicas'?",
        "line 12: space.Classifier.num_replica: unknown kind of knob 'randit'; did you mean 'randint'?",
    ]),
    "unknown option of an option": (VALID + "  Classifier.ray_actor_options.num_cpu: {uniform: [1, 2]}\n", [
        "line 12: space.Classifier.ray_actor_options.num_cpu: unknown option 'num_cpu'; "
        "did you mean 'num_cpus'?",
    ]),
    "path that goes too deep": (VALID + "  Classifier.num_replicas.max: {randint: [1, 2]}\n", [
        "line 12: space.Classifier.num_replicas.max: "
        "'num_replicas' has no options of its own; the path must end there",
    ]),
    "path through a value": (
        edited("max_batch_size: 1}", "max_batch_size: 1, wait: 3}")
        + "  Classifier.user_config.wait.s: {uniform: [1, 2]}\n",
        ["line 12: space.Classifier.user_config.wait.s: "
         "'Classifier.user_config.wait.s' leads through 'wait', which is 3, not a mapping",
         "line 12: space.Classifier.user_config.wait.s: has no value to start from"],
    ),
    "deployment without option": (VALID + "  Classifier: {choice: [1, 2]}\n", [
        "line 12: space.Classifier: names a deployment but none of its options; "
        "write Classifier.num_replicas, for example",
    ]),
    "field that is not for tuning": (VALID + "  route_prefix: {choice: [/a, /b]}\n", [
        "line 12: space.route_prefix: 'route_prefix' is set by the orchestrator and cannot be tuned",
    ]),
    "path into the list of deployments": (VALID + "  deployments.Classifier.x: {randint: [1, 2]}\n", [
        "line 12: space.deployments.Classifier.x: "
        "a path starts with a deployment's own name; the app lists Classifier",
    ]),
    "the same thing twice": (VALID + "  Classifier.user_config: {choice: [{}]}\n", [
        "line 12: space.Classifier.user_config: "
        "Classifier.user_config.max_batch_size is a part of Classifier.user_config",
    ]),
    "no value to start from": (VALID + "  args.precision: {choice: [fp32, int8]}\n", [
        "line 12: space.args.precision: has no value to start from; put its baseline value into app",
    ]),
    "no value to start from, but one of nearly that name": (
        VALID + "  Classifier.user_config.max_batchsize: {choice: [1, 2]}\n", [
            "line 12: space.Classifier.user_config.max_batchsize: has no value to start from; "
            "did you mean Classifier.user_config.max_batch_size? If not, put its baseline value into app",
        ]),
    "low end that Serve refuses": (VALID + "  Classifier.num_replicas: {randint: [0, 2]}\n", [
        "line 12: space.Classifier.num_replicas.randint[0]: with 0, "
        "Serve refuses app.deployments[0].num_replicas: expected a number above 0 or text, found 0",
    ]),
    "high end that Serve refuses": (VALID + "  Classifier.rolling_update_percentage: {uniform: [0.1, 2]}\n", [
        "line 12: space.Classifier.rolling_update_percentage.uniform[1]: with 2.0, "
        "Serve refuses app.deployments[0].rolling_update_percentage: expected a number of at most 1, "
        "found 2.0",
    ]),
    "fractions where Serve takes whole numbers": (
        VALID + "  Classifier.max_ongoing_requests: {uniform: [1, 2]}\n", [
            "line 12: space.Classifier.max_ongoing_requests: with 1.375, "
            "Serve refuses app.deployments[0].max_ongoing_requests: expected a whole number, found 1.375",
        ]),
    "choice that Serve refuses": (
        VALID + "  Classifier.num_replicas:\n    choice:\n      - 1\n      - -1\n      - auto\n", [
            "line 15: space.Classifier.num_replicas.choice[1]: with -1, "
            "Serve refuses app.deployments[0].num_replicas: expected a number above 0 or text, found -1",
        ]),
    "errors inside of a condition": (
        VALID
        + "  args.precision:\n    condition:\n      fp32:\n        args.x: {unifrm: [0, 1]}\n"
        + "      int8:\n        args.y: {uniform: [1, 0]}\n        Classifier.nam: {uniform: [0, 1]}\n",
        [
            "line 15: space.args.precision.condition.fp32.args.x: unknown kind of knob 'unifrm'",
            "line 17: space.args.precision.condition.int8.args.y: low 1 is above high 0",
            "line 18: space.args.precision.condition.int8.Classifier.nam: unknown option 'nam'; "
            "did you mean 'name'?",
        ]),
}  # fmt: skip

UNREADABLE = {
    "nothing": ("", ["the file is empty"]),
    "comments only": ("# later\n", ["the file is empty"]),
    "list": ("- a\n- b\n", [f"expected a mapping with the keys {TOP_KEYS}; found a list of 2"]),
    "text": ("hello\n", [f"expected a mapping with the keys {TOP_KEYS}; found 'hello'"]),
    "tab": (
        "app:\n\timport_path: a.b\n",
        ["line 2: is not valid YAML: ", "indent with spaces, not with tabs"],
    ),
    "open bracket": (
        "load: {closed_loop: 3\napp: 1\n",
        ["line 2: is not valid YAML: while parsing a flow mapping"],
    ),
    "two documents": (VALID + "---\na: 1\n", ["line 12: is not valid YAML: expected a single document"]),
    "control character": (
        "name: a\nslo: \x07\n",
        ["line 2: is not valid YAML: a control character stands here"],
    ),
    "tag for a Python object": ("name: !!python/object:os.system {}\n", ["line 1: is not valid YAML"]),
    "alias inside of what it names": (
        "app: &a\n  args: *a\n",
        ["app.args: an alias (*) stands inside of what"],
    ),
    "list as key": (
        "? [a]\n: 1\n",
        ["line 1: is not valid YAML: while constructing a mapping found unhashable key"],
    ),
    "impossible number": ("name: !!int many\n", ["has a value that cannot be read"]),
    "nested beyond reason": ("a: " + "[" * 700 + "]" * 700, ["is nested too deeply to be read"]),
}


def table(cases):
    return [pytest.param(*case, id=name) for name, case in cases.items()]


def assert_told(found, expected):
    assert len(found) == len(expected), found
    for line, beginning in zip(found, expected, strict=True):
        assert line.startswith(beginning)


@pytest.mark.parametrize(("text", "expected"), table(WRONG_SECTIONS))
def test_a_wrong_section_is_explained(problems, text, expected):
    assert problems(text) == expected


@pytest.mark.parametrize(("text", "expected"), table(WRONG_APPS))
def test_a_wrong_app_is_explained(problems, text, expected):
    assert_told(problems(text), expected)


@pytest.mark.parametrize(("text", "expected"), table(WRONG_SPACES))
def test_a_wrong_space_is_explained(problems, text, expected):
    assert_told(problems(text), expected)


@pytest.mark.parametrize(("text", "fragments"), table(UNREADABLE))
def test_a_file_that_cannot_be_read_is_explained(problems, text, fragments):
    (told,) = problems(text)
    for fragment in fragments:
        assert fragment in told


def test_a_key_given_twice_is_an_error_beside_others(problems):
    assert problems(VALID + "search: {trials: 0}\nload: {closed_loop: {concurrency: 1, concurrency: 2}}\n") == [
        "line 12: search.trials: expected a number of at least 1, found 0",
        "line 13: load: the key stands here again; it was given in line 8",
        "line 13: load.closed_loop.concurrency: the key stands here again; it was given in line 13",
    ]


def test_all_problems_are_told_at_once_and_in_file_order(load):
    text = (
        "search: {trials: 0}\n"
        + edited("max_ongoing_requests", "max_ongoing_request")
        + "  Classifier.num_replicas: {randint: [0, 1]}\nclutser: {}\n"
    )
    with pytest.raises(ExperimentError) as caught:
        load(text)
    assert [(problem.line, problem.path) for problem in caught.value.problems] == [
        (1, "search.trials"),
        (7, "app.deployments[0].max_ongoing_request"),
        (13, "space.Classifier.num_replicas.randint[0]"),
        (14, "clutser"),
    ]
    assert all(line.startswith(caught.value.file + ": line ") for line in str(caught.value).splitlines())
    assert caught.value.exit_code == 2


def test_no_message_speaks_the_language_of_the_validator(problems):
    cases = [*WRONG_SECTIONS.values(), *WRONG_APPS.values(), *WRONG_SPACES.values()]
    told = "\n".join(line for text, _ in cases for line in problems(text))
    for jargon in ("Input should", "validation error", "pydantic", "Value error", "type=", "parse string"):
        assert jargon not in told


def test_a_missing_file_is_an_error_that_names_the_nearest_one(load, tmp_path):
    load(VALID)
    with pytest.raises(ExperimentError, match=r"no such file; did you mean .*/digits\.yaml\?"):
        load_experiment(tmp_path / "digit.yaml")


def test_a_file_that_is_not_text_is_an_error(tmp_path):
    (tmp_path / "latin.yaml").write_bytes("name: caf\xe9".encode("latin-1"))
    with pytest.raises(ExperimentError, match="is not UTF-8 text"):
        load_experiment(tmp_path / "latin.yaml")


def test_a_directory_is_an_error(tmp_path):
    with pytest.raises(ExperimentError, match="cannot be read: is a directory"):
        load_experiment(tmp_path)


def test_a_file_name_that_cannot_be_a_name_asks_for_one(load):
    with pytest.raises(ExperimentError, match="name: is missing, and the file's own name 'my study'"):
        load(VALID, name="my study.yaml")


# --- the guide ---

GUIDE = (Path(__file__).parents[2] / "docs" / "experiment.md").read_text(encoding="utf-8")
EXAMPLE, *FRAGMENTS, BROKEN = re.findall(r"```yaml\n(.*?)```", GUIDE, flags=re.DOTALL)


def test_the_example_of_the_guide_loads(load):
    experiment = load(EXAMPLE)
    assert experiment.baseline()["Classifier.user_config.compute"] == "inline"
    assert "Classifier.user_config.max_concurrent_batches" in experiment.space.paths()


@pytest.mark.parametrize("fragment", FRAGMENTS, ids=lambda fragment: fragment.splitlines()[0])
def test_the_fragments_of_the_guide_stand_in_for_sections_of_its_example(load, fragment, tmp_path):
    (tmp_path / "times.txt").write_text("0\n30\n")
    sections = {**Source(EXAMPLE).value, **Source(fragment).value}
    assert load(yaml.safe_dump(sections)).name == "digits"


def test_the_errors_of_the_guide_are_the_ones_that_its_file_gives(problems):
    (shown,) = re.findall(r"```\n(broken\.yaml.*?)```", GUIDE, flags=re.DOTALL)
    expected = [line.removeprefix("broken.yaml: ").removesuffix("…") for line in shown.splitlines()]
    assert_told(problems(BROKEN), expected)
