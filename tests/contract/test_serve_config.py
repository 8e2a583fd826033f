"""Serve configs as values, checked against Ray Serve's own models and rules."""

import copy

import pytest
import yaml
from ray.serve._private.config import DeploymentConfig, ReplicaConfig, handle_num_replicas_auto
from ray.serve._private.deploy_utils import get_app_code_version
from ray.serve._private.version import DeploymentVersion
from ray.serve.config import AutoscalingConfig
from ray.serve.schema import ServeApplicationSchema, ServeDeploySchema

from orchestrator.serve_config import (
    app_problems,
    deployable,
    in_place,
    merge,
    path_problem,
    pin,
    read,
    reserved,
    to_yaml,
    with_trial_defaults,
    without_access_log,
)
from orchestrator.serve_config.schema import DEPLOYMENT_DEFAULTS

APP = {
    "import_path": "serve_apps.classifier:build",
    "args": {"model": "digits"},
    "deployments": [
        {"name": "Classifier", "max_ongoing_requests": 256, "user_config": {"max_batch_size": 1}},
        {"name": "Tokenizer"},
    ],
}


@pytest.fixture(autouse=True)
def _unchanged():
    before = copy.deepcopy(APP)
    yield
    assert before == APP, "a function changed its argument"


def classifier(app):
    return app["deployments"][0]


# --- merge and read ---


@pytest.mark.parametrize(
    ("path", "value"),
    [
        pytest.param("Classifier.num_replicas", 2, id="an option"),
        pytest.param("Classifier.user_config.max_batch_size", 8, id="an option of an option"),
        pytest.param("Tokenizer.user_config.vocabulary", "large", id="mappings on the way"),
        pytest.param("Classifier.ray_actor_options.resources.accelerator", 0.5, id="two mappings on the way"),
        pytest.param("New.num_replicas", 2, id="a deployment that is not listed"),
        pytest.param("args.precision", "int8", id="an argument"),
        pytest.param("import_path", "other.module:app", id="a field of the application"),
        pytest.param("runtime_env.env_vars.OMP_NUM_THREADS", "1", id="a variable of the environment"),
        pytest.param("args.layers", [1, [2]], id="a list"),
        pytest.param("Classifier.user_config", {"a": {"b": 1}}, id="a mapping"),
    ],
)
def test_what_is_merged_can_be_read(path, value):
    merged = merge(APP, {path: value})
    assert read(merged, path) == value
    assert app_problems(merged) == []


def test_merging_leaves_the_rest_as_it_is():
    merged = merge(APP, {"Classifier.user_config.max_batch_size": 8, "args.precision": "int8"})
    assert merged == {
        "import_path": "serve_apps.classifier:build",
        "args": {"model": "digits", "precision": "int8"},
        "deployments": [
            {"name": "Classifier", "max_ongoing_requests": 256, "user_config": {"max_batch_size": 8}},
            {"name": "Tokenizer"},
        ],
    }


def test_a_merged_app_shares_nothing_with_its_parts():
    layers = [1, 2]
    merged = merge(APP, {"args.layers": layers})
    merged["args"]["layers"].append(3)
    classifier(merged)["user_config"]["max_batch_size"] = 9
    assert layers == [1, 2]


def test_merging_nothing_gives_an_equal_app():
    assert merge(APP, {}) == APP


def test_a_path_through_something_that_is_no_mapping_is_refused():
    with pytest.raises(ValueError, match="leads through 'max_ongoing_requests', which is 256, not a mapping"):
        merge(APP, {"Classifier.max_ongoing_requests.high": 2})


def test_a_deployment_with_dots_in_its_name_is_found():
    app = {"import_path": "a.b:c", "deployments": [{"name": "a"}, {"name": "a.b", "num_replicas": 3}]}
    assert read(app, "a.b.num_replicas") == 3
    assert merge(app, {"a.b.num_replicas": 4})["deployments"] == [
        {"name": "a"},
        {"name": "a.b", "num_replicas": 4},
    ]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        pytest.param("Classifier.max_ongoing_requests", 256, id="what the app says"),
        pytest.param("Tokenizer.max_ongoing_requests", 5, id="an option"),
        pytest.param("Unlisted.num_replicas", 1, id="an option of a deployment that is not listed"),
        pytest.param("Classifier.ray_actor_options.num_cpus", 1, id="what Ray gives to a replica"),
        pytest.param("Classifier.logging_config.enable_access_log", True, id="an option of an option"),
        pytest.param("Classifier.backpressure_config.status_code", 503, id="another option of an option"),
        pytest.param("Classifier.request_router_config.backoff_multiplier", 2.0, id="the router"),
        pytest.param("external_scaler_enabled", False, id="a field of the application"),
        pytest.param("route_prefix", "/", id="the route"),
    ],
)
def test_where_the_app_is_silent_serves_default_is_read(path, expected):
    assert read(APP, path) == expected


@pytest.mark.parametrize(
    "path",
    [
        "args.precision",
        "Classifier.user_config.batch_wait_timeout_s",
        "Classifier.autoscaling_config.max_replicas",
        "Classifier.ray_actor_options.memory",
        "Classifier.no_such_option",
        "runtime_env.env_vars.X",
    ],
)
def test_where_serve_has_no_default_either_there_is_nothing_to_read(path):
    with pytest.raises(KeyError):
        read(APP, path)


def test_options_of_a_feature_have_defaults_once_it_is_on():
    app = merge(APP, {"Classifier.autoscaling_config": {"min_replicas": 2}})
    assert read(app, "Classifier.autoscaling_config.upscale_delay_s") == 30


def test_our_table_of_defaults_is_serves():
    options = dict(DEPLOYMENT_DEFAULTS)
    replica = ReplicaConfig.create(lambda: None)
    assert replica.ray_actor_options["num_cpus"] == options.pop("ray_actor_options.num_cpus")
    deployment = DeploymentConfig()
    assert {option: getattr(deployment, option) for option in options} == options


# --- problems ---


@pytest.mark.parametrize(
    ("change", "problems"),
    [
        pytest.param({}, [], id="none"),
        pytest.param({"Classifier.num_replicas": "auto"}, [], id="autoscaling by Serve's own default"),
        pytest.param(
            {"Classifier.num_replicas": 0},
            [("app.deployments[0].num_replicas", "expected a number above 0 or text, found 0")],
            id="a value out of range",
        ),
        pytest.param(
            {"Classifier.num_replicas": 1, "Classifier.autoscaling_config": {"min_replicas": 1}},
            [
                (
                    "app.deployments[0]",
                    "Manually setting num_replicas is not allowed when autoscaling_config is provided",
                )
            ],
            id="two options that exclude each other",
        ),
        pytest.param(
            {"Tokenizer.backpressure_config": {"status": 503}},
            [
                (
                    "app.deployments[1].backpressure_config.status",
                    "unknown key 'status'; did you mean 'status_code'? allowed: status_code, retry_after_s",
                )
            ],
            id="an unknown option of an option",
        ),
        pytest.param(
            {"Classifier.gang_scheduling_config": {"gang_size": 0}},
            [
                (
                    "app.deployments[0].gang_scheduling_config.gang_size",
                    "expected a number of at least 1, found 0",
                )
            ],
            id="a model that Serve nests in a validator",
        ),
        pytest.param(
            {"runtime_env": {"py_modules": 3}},
            [("app", "has a value of the wrong kind: 'int' object is not iterable")],
            id="a shape that Serve's validators do not expect",
        ),
        pytest.param(
            {"deployments": {"Classifier": {}}},
            [("app.deployments", "expected a list, found a mapping with the keys Classifier")],
            id="deployments that are no list",
        ),
    ],
)
def test_problems_are_told_in_plain_sentences(change, problems):
    app = {**APP, **change} if "deployments" in change else merge(APP, change)
    assert app_problems(app) == problems


def test_code_that_a_config_names_is_not_imported_to_check_it(tmp_path, monkeypatch):
    (tmp_path / "only_on_the_cluster.py").write_text("raise RuntimeError('imported')\n")
    monkeypatch.syspath_prepend(tmp_path)
    app = merge(
        APP,
        {
            "Classifier.autoscaling_config": {"policy": {"policy_function": "only_on_the_cluster:policy"}},
            "Classifier.request_router_config": {"request_router_class": "only_on_the_cluster:Router"},
        },
    )
    assert app_problems(app) == []


@pytest.mark.parametrize(
    "path",
    [
        "Classifier.num_replicas",
        "Classifier.user_config.anything.at.all",
        "Classifier.ray_actor_options.resources.custom",
        "Classifier.autoscaling_config.policy.policy_kwargs.x",
        "Tokenizer.placement_group_bundles",
        "args.anything.at.all",
        "runtime_env.env_vars.X",
        "import_path",
    ],
)
def test_a_path_into_the_schema_can_be_a_knob(path):
    assert path_problem(APP, path) is None


# --- what is deployed and exported ---


def test_a_deployable_config_is_one_that_serve_takes():
    config = deployable({"name": "mine", **APP}, "slot-0", "/slot-0", http_options={"port": 8001}, proxy_location=None)
    assert config == {
        "http_options": {"port": 8001},
        "applications": [{"name": "slot-0", "route_prefix": "/slot-0", **APP}],
    }
    schema = ServeDeploySchema.model_validate(config)
    assert [(app.name, app.route_prefix) for app in schema.applications] == [("slot-0", "/slot-0")]
    assert schema.http_options.port == 8001


def test_pinning_binds_listed_deployments_and_keeps_other_options():
    options = {"num_cpus": 2, "label_selector": {"zone": "a"}}
    app = pin(merge(APP, {"Classifier.ray_actor_options": options}), "f00")
    assert classifier(app)["ray_actor_options"] == {
        "num_cpus": 2,
        "label_selector": {"zone": "a", "ray.io/node-id": "f00"},
    }
    assert app["deployments"][1]["ray_actor_options"] == {"label_selector": {"ray.io/node-id": "f00"}}
    assert app_problems(app) == []


def test_an_app_that_lists_no_deployments_is_pinned_nowhere():
    assert pin({"import_path": "a.b:c"}, "f00") == {"import_path": "a.b:c"}


def test_a_trial_is_quick_to_shut_down_and_writes_no_access_log():
    app = with_trial_defaults(APP)
    assert app["logging_config"] == {"enable_access_log": False}
    for entry in app["deployments"]:
        assert entry["graceful_shutdown_wait_loop_s"] == 0.05
        assert entry["graceful_shutdown_timeout_s"] == 1
    assert app_problems(app) == []


def test_a_trials_replicas_are_told_of_another_limit_on_waiting_requests():
    """Serve's own rule decides: replicas that run are reconfigured only where the version asks for it."""

    def told(before, after):
        versions = []
        for limit in (before, after):
            changes = {} if limit is None else {"Classifier.max_queued_requests": limit}
            entry = dict(classifier(with_trial_defaults(merge(APP, changes))))
            options = {
                key: entry[key] for key in ("max_queued_requests", "graceful_shutdown_wait_loop_s") if key in entry
            }
            versions.append(DeploymentVersion("1", DeploymentConfig(**options), {}))
        return versions[0].requires_actor_reconfigure(versions[1])

    assert told(4, 64)
    assert told(None, 4)
    assert not told(4, 4)
    assert not told(None, -1)


def test_a_trial_keeps_what_the_app_says():
    given = {
        **merge(APP, {"Classifier.graceful_shutdown_timeout_s": 9}),
        "logging_config": {"enable_access_log": True, "log_level": "DEBUG"},
    }
    app = with_trial_defaults(given)
    assert classifier(app)["graceful_shutdown_timeout_s"] == 9
    assert app["logging_config"] == {"enable_access_log": True, "log_level": "DEBUG"}


def test_an_export_has_the_access_log_off_as_it_was_measured_and_no_other_trial_default():
    assert without_access_log(APP) == {**APP, "logging_config": {"enable_access_log": False}}


# --- in place or not ---

CHANGES = {
    "nothing": {},
    "user_config": {"Classifier.user_config.max_batch_size": 8},
    "num_replicas": {"Classifier.num_replicas": 2},
    "max_ongoing_requests": {"Classifier.max_ongoing_requests": 8},
    "max_queued_requests": {"Classifier.max_queued_requests": 8},
    "backpressure_config": {"Classifier.backpressure_config": {"status_code": 429}},
    "graceful_shutdown_wait_loop_s": {"Classifier.graceful_shutdown_wait_loop_s": 0.05},
    "graceful_shutdown_timeout_s": {"Classifier.graceful_shutdown_timeout_s": 1},
    "health_check_period_s": {"Classifier.health_check_period_s": 1},
    "logging_config": {"Classifier.logging_config": {"enable_access_log": False}},
    "rolling_update_percentage": {"Classifier.rolling_update_percentage": 1.0},
    "max_surge_percent": {"Classifier.max_surge_percent": 50},
    "num_replicas auto": {"Classifier.num_replicas": "auto"},
    "a deployment that was not listed": {"Router.num_replicas": 2},
    "autoscaling turned on": {"Classifier.autoscaling_config": {"min_replicas": 1, "max_replicas": 2}},
    "ray_actor_options": {"Classifier.ray_actor_options.num_cpus": 0.5},
    "placement_group_bundles": {"Classifier.placement_group_bundles": [{"CPU": 1}]},
    "placement_group_strategy": {"Classifier.placement_group_strategy": "SPREAD"},
    "max_replicas_per_node": {"Classifier.max_replicas_per_node": 1},
    "gang_scheduling_config": {"Classifier.gang_scheduling_config": {"gang_size": 1}},
    "deployment_actors": {"Classifier.deployment_actors": [{"name": "cache", "actor_class": "a.b:C"}]},
    "request_router_config": {"Classifier.request_router_config": {"backoff_multiplier": 3}},
    "args": {"args.precision": "int8"},
    "import_path": {"import_path": "other.module:app"},
    "runtime_env": {"runtime_env.env_vars.OMP_NUM_THREADS": "1"},
    "autoscaling_policy": {"autoscaling_policy.policy_function": "a.b:policy"},
}
IN_PLACE = list(CHANGES)[: list(CHANGES).index("autoscaling turned on")]


@pytest.mark.parametrize("name", CHANGES)
def test_we_know_which_changes_are_in_place(name):
    changed = merge(APP, CHANGES[name])
    assert in_place(APP, changed) is (name in IN_PLACE)
    assert in_place(changed, APP) is (name in IN_PLACE)


@pytest.mark.parametrize("name", CHANGES)
def test_serve_agrees_on_which_changes_are_in_place(name):
    before, after = (ServeApplicationSchema(**copy.deepcopy(merge(APP, change))) for change in ({}, CHANGES[name]))
    codes = get_app_code_version(before), get_app_code_version(after)
    replaced = any(
        version(before, deployment.name, codes[0]).requires_actor_restart(version(after, deployment.name, codes[1]))
        for deployment in before.deployments
    )
    assert replaced is (name not in IN_PLACE)


def version(app, name, code):
    """What Serve compares to decide on a restart, as it makes it of a config."""
    (options,) = (entry for entry in app.model_dump(exclude_unset=True)["deployments"] if entry["name"] == name)
    if options.get("num_replicas") == "auto":
        options["num_replicas"] = None
    known = {key: value for key, value in options.items() if key in DeploymentConfig.model_fields}
    return DeploymentVersion(
        code_version=code,
        deployment_config=DeploymentConfig(**known),
        ray_actor_options=options.get("ray_actor_options"),
        placement_group_bundles=options.get("placement_group_bundles"),
        placement_group_strategy=options.get("placement_group_strategy"),
        max_replicas_per_node=options.get("max_replicas_per_node"),
    )


def test_another_autoscaling_range_is_in_place_but_another_policy_is_not():
    one, two, three = (
        merge(APP, {"Classifier.autoscaling_config": config})
        for config in ({"max_replicas": 2}, {"max_replicas": 3}, {"max_replicas": 3, "policy": {"x": 1}})
    )
    assert in_place(one, two)
    assert not in_place(two, three)


def test_an_application_of_another_name_is_another_application():
    assert not in_place({**APP, "name": "slot-0"}, {**APP, "name": "slot-1"})


# --- what is reserved ---

GIB = 2**30


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param({}, (2, 0, 0), id="Serve's defaults: a CPU for each of two deployments"),
        pytest.param({"Classifier.num_replicas": 3}, (4, 0, 0), id="replicas"),
        pytest.param(
            {"Classifier.ray_actor_options": {"num_cpus": 0.5, "num_gpus": 0.25, "memory": GIB}, **{
                "Classifier.num_replicas": 2}}, (2, 0.5, 2 * GIB), id="CPUs, GPUs and memory",
        ),
        pytest.param({"Classifier.ray_actor_options": {"num_gpus": 1}}, (2, 1, 0), id="a GPU beside the default CPU"),
        pytest.param({"Classifier.ray_actor_options": {"num_cpus": 0}}, (1, 0, 0), id="no CPU"),
        pytest.param({"Classifier.ray_actor_options": {"num_cpus": None}}, (2, 0, 0), id="null is the default"),
        pytest.param({"Classifier.autoscaling_config": {"max_replicas": 4}}, (5, 0, 0), id="the most of autoscaling"),
        pytest.param({"Classifier.autoscaling_config": {"min_replicas": 1}}, (2, 0, 0), id="autoscaling's default"),
        pytest.param({"Classifier.num_replicas": "auto"}, (101, 0, 0), id="Serve's own autoscaling"),
        pytest.param(
            {"Classifier.num_replicas": "auto", "Classifier.autoscaling_config": {"max_replicas": 3}}, (4, 0, 0),
            id="Serve's own autoscaling with an end",
        ),
        pytest.param(
            {"Classifier.placement_group_bundles": [{"CPU": 1, "GPU": 1}, {"CPU": 2, "memory": GIB}]},
            (4, 1, GIB), id="a placement group",
        ),
    ],
)  # fmt: skip
def test_we_know_what_an_app_reserves_and_serve_agrees(changes, expected):
    app = merge(APP, changes)
    assert app_problems(app) == []
    assert reserved(app) == expected
    assert by_serve(app) == pytest.approx(expected)


def by_serve(app):
    """The same by the values that Serve itself works with."""
    total = [0.0, 0.0, 0.0]
    for entry in app["deployments"]:
        count, autoscaling = entry.get("num_replicas", 1), entry.get("autoscaling_config")
        if count == "auto":
            _, autoscaling = handle_num_replicas_auto(5, autoscaling)
        if autoscaling:
            count = AutoscalingConfig.model_validate(autoscaling).max_replicas
        bundles = entry.get("placement_group_bundles")
        replica = ReplicaConfig.create(
            lambda: None, ray_actor_options=entry.get("ray_actor_options"), placement_group_bundles=bundles
        )
        for each in bundles or [replica.resource_dict]:
            for index, name in enumerate(("CPU", "GPU", "memory")):
                total[index] += count * each.get(name, 0)
    return tuple(total)


# --- YAML ---


def test_yaml_is_block_style_in_the_given_order_and_can_be_read_back():
    config = deployable(APP, "digits", "/")
    text = to_yaml(config, header="The winner of digits\n\nserve deploy winner.yaml")
    assert text == (
        "# The winner of digits\n"
        "#\n"
        "# serve deploy winner.yaml\n"
        "applications:\n"
        "- name: digits\n"
        "  route_prefix: /\n"
        "  import_path: serve_apps.classifier:build\n"
        "  args:\n"
        "    model: digits\n"
        "  deployments:\n"
        "  - name: Classifier\n"
        "    max_ongoing_requests: 256\n"
        "    user_config:\n"
        "      max_batch_size: 1\n"
        "  - name: Tokenizer\n"
    )
    assert yaml.safe_load(text) == config


@pytest.mark.parametrize(
    "value",
    ["1e-4", "1", "yes", "null", "", "2024-01-31", "nan", "a: b", "ü\n", 1e-5, 1e22, 0.1, True, None, [], {}],
    ids=repr,
)
def test_a_value_survives_being_written_and_read(value):
    assert yaml.safe_load(to_yaml({"key": value})) == {"key": value}


def test_text_that_newer_yaml_takes_for_a_number_is_quoted():
    assert to_yaml({"hash": "1e-4"}) == "hash: '1e-4'\n"


def test_the_same_list_in_two_places_is_written_out_twice():
    shared = [1]
    assert "&" not in to_yaml({"a": shared, "b": shared})
