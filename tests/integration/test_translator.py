"""The translator as it is trained, and it and the encoder in studies on a real cluster."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest

from serve_apps.datasets.grammar import sentences
from serve_apps.nets.store import TRANSLATOR, ensure_built
from serve_apps.translation import TranslationModel
from serve_apps.vocabulary import target_numbers, written
from tests.integration.conftest import orchestrator

EXPERIMENT = """
name: translated
app:
  import_path: serve_apps.translator:build
  deployments:
    - name: Translator
      num_replicas: 1
      max_ongoing_requests: 64
      ray_actor_options: {num_cpus: 0.1}
      user_config: {max_batch_size: 32, batch_wait_timeout_s: 0.005}
workload: {payloads: "serve_apps.payloads:sentences", data: lines.txt}
load: {closed_loop: {concurrency: 3}, items_per_request: 4}
measure: {warmup_s: 0.5, warmup_max_s: 2, min_s: 1, max_s: 2, ceiling: false, validity: warn}
objective: {minimize: latency_mean_ms}
deploy_timeout_s: 120
space:
  Translator.user_config.max_batch_size: {choice: [1, 32]}
search: {algorithm: grid, trials: 1}
confirm: {top: 0}
"""
ENCODED = """
name: translated
app:
  import_path: serve_apps.encoder:build
  args: {model: encoder_tiny, padding: bucketed, precision: fp32, pinning: true}
  deployments:
    - name: Encoder
      num_replicas: 1
      max_ongoing_requests: 64
      ray_actor_options: {num_cpus: 0.1}
      user_config: {max_batch_size: 8, batch_wait_timeout_s: 0.005}
workload: {payloads: "translated:requests"}
load: {closed_loop: {concurrency: 3}, items_per_request: 4}
measure: {warmup_s: 0.5, warmup_max_s: 2, min_s: 1, max_s: 2, ceiling: false, validity: warn}
slo: {min_accuracy: 0.99}
objective: {maximize: items_per_s}
deploy_timeout_s: 120
space:
  args.precision: {choice: [fp32, fp16]}
search: {algorithm: grid, trials: 2}
confirm: {top: 0}
"""
REQUESTS = """
from serve_apps.payloads import texts


def requests(seed, items_per_request=1):
    return texts(seed, items_per_request, model="encoder_tiny")
"""
CLOCK = """
      limits: {gpu_clock_mhz: 900}
      user_config"""
LINES = "The dog sees the cat.\nNobody knows what a much longer line, with words that are new, will say!\nthe house\n"


@pytest.fixture(scope="module")
def model():
    """Trained now, unless it has been before: half a minute."""
    return TranslationModel(TRANSLATOR, ensure_built(TRANSLATOR), 1, 100)


@pytest.fixture(scope="module")
def study(model, cluster, tmp_path_factory):
    """Function of the experiment's text: the document of its study."""
    here = tmp_path_factory.mktemp("translated")
    (here / "lines.txt").write_text(LINES)
    (here / "translated.py").write_text(REQUESTS)

    def run(text):
        (here / "translated.yaml").write_text(text)
        done = orchestrator("run", "translated.yaml", "--address", cluster.address, "--json", cwd=here)
        assert done.stdout, done.stderr
        return json.loads(done.stdout)

    return run


def test_sentences_that_it_has_not_seen_are_translated_mostly_without_a_mistake(model):
    pairs = sentences(200, seed=99)
    texts = np.array([" ".join(english).encode() for english, _ in pairs], object)
    found, *_ = model.run(model.prepare({"text": texts}))
    wanted = [written(target_numbers(german)).encode() for _, german in pairs]
    assert np.mean(found == np.array(wanted, object)) > 0.75


def test_a_study_says_what_padding_cost_and_small_batches_cost_none(study):
    document = study(EXPERIMENT)
    baseline, (alone,) = document["baseline"], [one for one in document["trials"] if one["number"]]
    assert baseline["status"] == alone["status"] == "COMPLETE", document
    assert baseline["metrics"]["error_ratio"] == 0
    assert baseline["metrics"]["padding_waste"] > 0.2
    assert 4 <= baseline["metrics"]["batch_size_mean"] <= 12, "sentences, of at most three requests of four"
    assert alone["metrics"]["padding_waste"] == 0
    assert alone["metrics"]["batch_size_mean"] == 1


@pytest.mark.skipif(shutil.which("nvidia-smi") is not None, reason="there may be a GPU whose clock would be set")
def test_without_a_gpu_a_clock_is_infeasible_and_the_reason_says_so(study):
    baseline = study(EXPERIMENT.replace("\n      user_config", CLOCK))["baseline"]
    assert baseline["status"] == "INFEASIBLE"
    assert "the GPU clock (limits.gpu_clock_mhz) cannot be set on this machine: " in baseline["reasons"][0]


@pytest.mark.skipif(shutil.which("nvidia-smi") is not None, reason="there may be a GPU that computes fp16")
def test_a_study_keeps_what_a_variant_costs_and_what_cannot_be_had_is_infeasible(study):
    document = study(ENCODED)
    baseline, trials = document["baseline"], [one for one in document["trials"] if one["number"]]
    assert baseline["status"] == "COMPLETE", document
    assert baseline["metrics"]["accuracy"] == 1
    assert baseline["slo"]["accuracy"] == "pass"
    assert "padding_waste" in baseline["metrics"]
    (refused,) = [one for one in trials if one["config"]["args.precision"] == "fp16"]
    assert refused["status"] == "INFEASIBLE"
    assert refused["reasons"][0].startswith("args.precision is 'fp16', and this node has no GPU")
