"""cluster.yaml is what `ray up` accepts, and gives the cluster that the orchestrator expects. Offline."""

import json
import re
from pathlib import Path

import pytest
import yaml
from ray._private.resource_and_label_spec import ResourceAndLabelSpec
from ray.autoscaler._private.util import prepare_config, validate_config

from orchestrator.cluster import TRIAL_SLOT, data_plane_environment

ROOT = Path(__file__).parents[2]
CPUS = 2
"""What AWS tells the launcher about the instance type, in these tests."""


@pytest.fixture(scope="module")
def config():
    """The file as `ray up` sees it: with the provider's defaults filled in and set-up commands merged."""
    return prepare_config(yaml.safe_load((ROOT / "cluster.yaml").read_text(encoding="utf-8")))


def resources_of_a_node(stated, monkeypatch, is_head):
    """What a node offers once the launcher has handed it the detected CPUs, or what is stated instead."""
    monkeypatch.setenv("RAY_OVERRIDE_RESOURCES", json.dumps({"CPU": CPUS, **stated}))
    spec = ResourceAndLabelSpec(num_gpus=0, memory=10**9, object_store_memory=10**8)
    return spec.resolve(is_head=is_head, node_ip_address="127.0.0.1").to_resource_dict()


def start_command(config, node):
    return next(command for command in config[f"{node}_start_ray_commands"] if "ray start" in command)


def test_ray_up_accepts_the_file(config):
    validate_config(config)


def test_a_mistake_in_the_file_would_be_noticed(config):
    with pytest.raises(Exception, match="Additional properties are not allowed"):
        validate_config({**config, "setup_comands": []})


def test_the_head_offers_neither_a_trial_slot_nor_cpus(config, monkeypatch):
    head = config["available_node_types"][config["head_node_type"]]
    offered = resources_of_a_node(head["resources"], monkeypatch, is_head=True)
    assert not {TRIAL_SLOT, "CPU"} & set(offered)


def test_every_worker_offers_one_trial_slot_and_its_cpus(config, monkeypatch):
    workers = {n: t for n, t in config["available_node_types"].items() if n != config["head_node_type"]}
    assert workers
    for worker in workers.values():
        offered = resources_of_a_node(worker["resources"], monkeypatch, is_head=False)
        assert (offered[TRIAL_SLOT], offered["CPU"]) == (1, CPUS)


def test_the_workers_are_there_before_a_study_counts_its_slots(config):
    workers = [t for n, t in config["available_node_types"].items() if n != config["head_node_type"]]
    assert sum(worker["min_workers"] for worker in workers) >= 1
    assert sum(worker["max_workers"] for worker in workers) <= config["max_workers"]


@pytest.mark.parametrize("node", ["head", "worker"])
def test_every_node_has_the_fast_data_plane_before_ray_starts(config, node):
    before_ray_starts, _ = start_command(config, node).split("ray start", 1)
    exported = dict(re.findall(r"(RAY_SERVE_\w+)=(\S+?)(?=[\s;])", before_ray_starts.split("export", 1)[1]))
    assert exported == data_plane_environment("haproxy")


@pytest.mark.parametrize("node", ["head", "worker"])
def test_every_node_installs_this_checkout_with_the_tested_releases(config, node):
    commands = config[f"{node}_setup_commands"]
    (remote,) = config["file_mounts"]
    assert any(f"-c {remote}/constraints.txt -e {remote}" in command for command in commands)
    assert (ROOT / config["file_mounts"][remote]).resolve() == ROOT


def test_workers_join_the_head_where_it_listens(config):
    (port,) = re.findall(r"--port=(\d+)", start_command(config, "head"))
    assert f"--address=$RAY_HEAD_IP:{port}" in start_command(config, "worker")


def test_the_image_has_the_ray_that_the_constraints_pin(config):
    constraints = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    (pinned,) = re.findall(r"^ray==(\S+)$", constraints, re.MULTILINE)
    assert config["docker"]["image"].startswith(f"rayproject/ray:{pinned}-")
