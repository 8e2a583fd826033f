"""What limits a configuration, in a sentence with figures, and the knob to try next."""

import math
from dataclasses import replace

import pytest

from orchestrator.diagnosis import Facts, Settings, diagnose, facts_of, settings_of
from orchestrator.diagnosis.rules import RULES
from orchestrator.measure.breakdown import Breakdown, Parts
from orchestrator.measure.measurement import Measurement

OPTIONS = {
    "max_batch_size": 16,
    "batch_wait_timeout_s": 0.002,
    "intra_op_threads": 1,
    "num_replicas": 1,
    "max_ongoing_requests": 256,
}
EVEN = {"send_lag": 0.0, "network": 0.3, "backlog": 0.2, "batch_wait": 0.08, "compute": 0.25}
NOTHING_KNOWN = Facts()
FACTS = Facts(
    concurrency=32,
    shares=EVEN,
    latency_mean_ms=10.0,
    throughput_rps=3_000.0,
    batch_size=12.0,
    ceiling_rps=5_000.0,
    cores=8.0,
    replica_cpu_cores=0.5,
    proxy_cpu_cores=0.4,
    machine_busy_share=0.8,
    data_plane="haproxy",
)


def facts(without=(), **changes):
    """The even facts with some changed: settings by their option, shares by their part, the rest by its name."""
    options = {name: value for name, value in {**OPTIONS, **changes}.items() if name in OPTIONS and name not in without}
    shares = {**EVEN, **{name: value for name, value in changes.items() if name in EVEN}}
    rest = {name: value for name, value in changes.items() if name not in OPTIONS and name not in EVEN}
    settings = Settings(options, {name: f"Model.{name}" for name in options})
    return replace(FACTS, settings=settings, shares={k: v for k, v in shares.items() if k not in without}, **rest)


OTHERS = (Settings({"num_replicas": 1.0}, {"num_replicas": "Reader.num_replicas"}),)
OPEN = {"concurrency": math.nan, "throughput_rps": 100.0}

# what applies, what just does not, (limit, knob), words that have to be in the sentence
CASES = {
    "router back-off": (
        facts(max_ongoing_requests=16),
        facts(max_ongoing_requests=32),
        ("router_backoff", "Model.max_ongoing_requests"),
        ["32 are under way, 1 replica takes 16 at a time", "3 ms (30% of the mean", "raise Model.max_ongoing_requests"],
    ),
    "router back-off over several replicas": (
        facts(max_ongoing_requests=15, num_replicas=2),
        facts(max_ongoing_requests=16, num_replicas=2),
        ("router_backoff", "Model.max_ongoing_requests"),
        ["2 replicas take 30 at a time"],
    ),
    "router back-off that costs something": (
        facts(max_ongoing_requests=16, network=0.1),
        facts(max_ongoing_requests=16, network=0.09),
        ("router_backoff", "Model.max_ongoing_requests"),
        [],
    ),
    "router back-off of an open loop": (
        facts(**OPEN, latency_mean_ms=170.0, max_ongoing_requests=16, max_batch_size=16),
        facts(**OPEN, latency_mean_ms=150.0, max_ongoing_requests=16, max_batch_size=16),
        ("router_backoff", "Model.max_ongoing_requests"),
        ["17 are under way"],
    ),
    "router back-off by Serve's default": (
        facts(without=["max_ongoing_requests"], throughput_rps=90, network=0.8, batch_size=2.0),
        facts(without=["max_ongoing_requests"], throughput_rps=3_000, latency_mean_ms=40, network=0.8, batch_size=12.0),
        ("router_backoff", "max_ongoing_requests"),
        ["Serve's default for max_ongoing_requests: 5"],
    ),
    "a limit below the batch": (
        facts(max_batch_size=64, max_ongoing_requests=32, concurrency=33, network=0.05, batch_size=31, batch_wait=0.0),
        facts(max_batch_size=64, max_ongoing_requests=32, concurrency=33, network=0.05, batch_size=20, batch_wait=0.0),
        ("batches_cannot_fill", "Model.max_ongoing_requests"),
        ["may hold 64", "only 32 at a time", "batches hold 31 on average"],
    ),
    "a limit below the batch that is waited for": (
        facts(max_batch_size=64, max_ongoing_requests=32, concurrency=33, network=0.05, batch_size=16, batch_wait=0.1),
        facts(max_batch_size=64, max_ongoing_requests=32, concurrency=33, network=0.05, batch_size=16, batch_wait=0.09),
        ("batches_cannot_fill", "Model.max_ongoing_requests"),
        [],
    ),
    "fewer clients than the batch holds": (
        facts(max_batch_size=33, batch_wait=0.4),
        facts(max_batch_size=32, batch_wait=0.4, batch_size=16.0),
        ("batches_cannot_fill", "Model.max_batch_size"),
        ["32 clients over 1 replica leave 32 requests", "batch of up to 33", "4 ms (40%", "lower Model.max_batch_size"],
    ),
    "fewer items than the batch holds": (
        replace(facts(max_batch_size=129, batch_wait=0.4), items=4),
        replace(facts(max_batch_size=128, batch_wait=0.4, batch_size=64.0), items=4),
        ("batches_cannot_fill", "Model.max_batch_size"),
        ["leave 32 requests of 4 items each for a batch of up to 129"],
    ),
    "fewer clients than the batches of several replicas hold": (
        facts(max_batch_size=16, num_replicas=3, batch_wait=0.1),
        facts(max_batch_size=16, num_replicas=2, batch_wait=0.1),
        ("batches_cannot_fill", "Model.max_batch_size"),
        ["3 replicas leave 10.67 requests"],
    ),
    "fewer clients than the batch holds, waits unknown": (
        replace(facts(max_batch_size=64), shares={"server_and_network": 1.0}),
        replace(facts(max_batch_size=64, batch_wait_timeout_s=0), shares={"server_and_network": 1.0}),
        ("batches_cannot_fill", "Model.max_batch_size"),
        [],
    ),
    "wait dominating at low load": (
        facts(**OPEN, batch_wait=0.5, machine_busy_share=0.2, batch_size=1.2),
        facts(**OPEN, batch_wait=0.49, machine_busy_share=0.2, batch_size=12.0),
        ("batch_wait", "Model.batch_wait_timeout_s"),
        ["5 ms (50% of the mean", "batches hold 1.2 on average", "lower Model.batch_wait_timeout_s"],
    ),
    "wait dominating while the machine is idle": (
        facts(**OPEN, batch_wait=0.6, machine_busy_share=0.69, batch_size=12.0),
        facts(**OPEN, batch_wait=0.6, machine_busy_share=0.7, batch_size=12.0),
        ("batch_wait", "Model.batch_wait_timeout_s"),
        [],
    ),
    "half-empty batches": (
        facts(batch_size=7.9, batch_wait=0.2),
        facts(batch_size=8.0, batch_wait=0.2),
        ("batches_cannot_fill", "Model.batch_wait_timeout_s"),
        ["7.9 of 16 requests", "2 ms (20%"],
    ),
    "half-empty batches that are waited for": (
        facts(batch_size=2.0, batch_wait=0.1),
        facts(batch_size=2.0, batch_wait=0.09),
        ("batches_cannot_fill", "Model.batch_wait_timeout_s"),
        [],
    ),
    "replicas that fight over cores": (
        facts(num_replicas=3, cores=2.0, machine_busy_share=0.9, replica_cpu_cores=1.5, max_batch_size=4),
        facts(num_replicas=2, cores=2.0, machine_busy_share=0.9, replica_cpu_cores=1.5, max_batch_size=4),
        ("cores", "Model.num_replicas"),
        ["3 replicas want 3 cores, and there are 2", "1.5 are theirs", "lower Model.num_replicas"],
    ),
    "threads that fight over cores": (
        facts(intra_op_threads=4, cores=2.0, replica_cpu_cores=1.8),
        facts(intra_op_threads=4, cores=2.0, replica_cpu_cores=1.79),
        ("cores", "Model.intra_op_threads"),
        ["1 replica with 4 threads each wants 4 cores"],
    ),
    "the null application's ceiling": (
        facts(throughput_rps=4_750.0, data_plane="proxy"),
        facts(throughput_rps=4_749.0, data_plane="proxy"),
        ("proxy", "cluster.data_plane"),
        ["4,750 requests/s are 95%", "set cluster.data_plane to haproxy"],
    ),
    "Serve's own proxy": (
        facts(network=0.5, proxy_cpu_cores=0.9, data_plane="proxy"),
        facts(network=0.49, proxy_cpu_cores=0.99, data_plane="proxy"),
        ("proxy", "cluster.data_plane"),
        ["it uses 0.9 cores", "5 ms (50%"],
    ),
    "HAProxy": (
        facts(network=0.7, proxy_cpu_cores=0.6, machine_busy_share=0.9),
        facts(network=0.49, proxy_cpu_cores=0.6, machine_busy_share=0.9),
        ("proxy", None),
        ["it uses 0.6 cores"],
    ),
    "replicas that are busy with requests": (
        facts(network=0.6, compute=0.1, replica_cpu_cores=0.9, machine_busy_share=0.6),
        facts(network=0.49, compute=0.1, replica_cpu_cores=0.9, machine_busy_share=0.6),
        ("replica", "Model.num_replicas"),
        ["1 replica uses 0.9 cores", "the model takes only 1 ms (10%", "raise Model.num_replicas"],
    ),
    "replicas that are busy with requests on a busy machine": (
        facts(network=0.6, compute=0.1, replica_cpu_cores=0.9),
        facts(network=0.4, compute=0.1, replica_cpu_cores=0.9),
        ("replica", None),
        [],
    ),
    "a model with full batches": (
        facts(compute=0.3, backlog=0.3, batch_size=14.4),
        facts(compute=0.2, backlog=0.29, batch_size=14.4),
        ("compute", "Model.max_batch_size"),
        ["6 ms (60%", "14.4 of at most 16", "raise Model.max_batch_size"],
    ),
    "a model with idle cores": (
        facts(compute=0.4, backlog=0.1, machine_busy_share=0.69),
        facts(compute=0.4, backlog=0.09, machine_busy_share=0.69),
        ("compute", "Model.num_replicas"),
        ["cores are idle", "69% busy", "raise Model.num_replicas"],
    ),
    "a model and nothing to be done": (
        facts(compute=0.5, backlog=0.0, gpu_busy_share=0.98),
        facts(compute=0.49, backlog=0.0, gpu_busy_share=0.98),
        ("compute", None),
        ["5 ms (50%", "the replicas use 0.5 cores", "GPUs are 98% busy"],
    ),
    "an unexplained network": (
        facts(network=0.5),
        facts(network=0.49),
        ("network", None),
        ["5 ms (50%", "the proxy uses 0.4 cores"],
    ),
    "the other deployments are slow": (
        facts(backlog=0.5, others=OTHERS),
        facts(backlog=0.5),
        ("application", None),
        ["beside the model are the limit", "5 ms (50% of the mean", "2.5 ms (25%", "the replicas use 0.5 cores"],
    ),
    "the other deployments are slow, and cores are idle": (
        facts(backlog=0.5, others=OTHERS, machine_busy_share=0.69),
        facts(backlog=0.5, others=OTHERS, machine_busy_share=0.7),
        ("application", "Reader.num_replicas"),
        ["raise Reader.num_replicas"],
    ),
    "the model is slow, beside other deployments": (
        facts(compute=0.5, others=OTHERS),
        facts(compute=0.3, backlog=0.2, others=OTHERS),
        ("compute", None),
        ["it takes 5 ms (50%"],
    ),
    "the machine's cores are used up": (
        facts(machine_busy_share=0.9, network=0.5),
        facts(machine_busy_share=0.89, network=0.5),
        ("machine", None),
        ["90% busy with 8 cores", "the replicas use 0.5, the proxy 0.4", "more cores"],
    ),
    "nothing in particular": (FACTS, NOTHING_KNOWN, ("none", None), ["network, proxy and router, 3 ms (30%"]),
    "nothing known": (NOTHING_KNOWN, FACTS, ("unknown", None), ["Server-Timing"]),
}


@pytest.mark.parametrize(("applies", "does_not", "expected", "words"), CASES.values(), ids=CASES)
def test_a_limit_is_named_with_figures_and_a_knob(applies, does_not, expected, words):
    found = diagnose(applies)
    assert (found.limit, found.knob) == expected, found.sentence
    assert not [word for word in words if word not in found.sentence], found.sentence
    assert "nan" not in found.sentence
    other = diagnose(does_not)
    assert (other.limit, other.knob) != expected, other.sentence


def test_every_rule_is_tested():
    speaking = {next(rule for _, rule in RULES if rule(applies)) for applies, _, _, _ in CASES.values()}
    assert speaking == {rule for _, rule in RULES}


@pytest.mark.parametrize("name", [n for n, v in vars(FACTS).items() if isinstance(v, (int, float))])
def test_whatever_is_unknown_there_is_a_sentence_without_holes(name):
    sentences = [diagnose(replace(applies, **{name: math.nan})).sentence for applies, _, _, _ in CASES.values()]
    assert not [sentence for sentence in sentences if not sentence or "nan" in sentence]


def test_a_larger_batch_is_not_proposed_when_nobody_is_left_to_fill_it():
    found = diagnose(facts(compute=0.3, backlog=0.3, batch_size=32, max_batch_size=32))
    assert (found.limit, found.knob) == ("compute", None)


APPLICATIONS = {
    "listed options": (
        {"num_replicas": 2, "max_ongoing_requests": 64, "user_config": {"max_batch_size": 8}},
        {"num_replicas": 2, "max_ongoing_requests": 64, "max_batch_size": 8},
        {"max_batch_size": "M.user_config.max_batch_size", "num_replicas": "M.num_replicas"},
    ),
    "deep in the user's own config": (
        {"user_config": {"a": {"batching": {"batch_wait_timeout_s": 0.01}}, "max_batch_size": 4}},
        {"batch_wait_timeout_s": 0.01, "max_batch_size": 4},
        {"batch_wait_timeout_s": "M.user_config.a.batching.batch_wait_timeout_s"},
    ),
    "the upper of two levels": (
        {"user_config": {"deep": {"max_batch_size": 1}, "max_batch_size": 2}},
        {"max_batch_size": 2},
        {"max_batch_size": "M.user_config.max_batch_size"},
    ),
    "nothing": ({}, {}, {"max_ongoing_requests": "M.max_ongoing_requests"}),
    "no numbers": ({"user_config": {"max_batch_size": "auto", "intra_op_threads": True}}, {}, {}),
}


@pytest.mark.parametrize(("entry", "values", "paths"), APPLICATIONS.values(), ids=APPLICATIONS)
def test_settings_are_found_by_the_last_part_of_their_keys(entry, values, paths):
    found = settings_of({"deployments": [{"name": "M", **entry}]})
    assert found.values == values
    assert {option: found.knob(option) for option in paths} == paths


def test_of_several_deployments_the_one_that_batches_counts():
    found = settings_of(
        {
            "deployments": [
                {"name": "Ingress", "num_replicas": 4},
                {"name": "Model", "num_replicas": 2, "user_config": {"max_batch_size": 8}},
            ]
        }
    )
    assert found.replicas == 2
    assert found.knob("num_replicas") == "Model.num_replicas"


@pytest.mark.parametrize("application", [{}, {"deployments": None}, {"deployments": ["?"]}])
def test_an_application_without_deployments_has_one_replica_and_unknown_settings(application):
    found = settings_of(application)
    assert found.replicas == 1
    assert math.isnan(found["max_batch_size"])
    assert found.knob("max_batch_size") == "max_batch_size"


@pytest.mark.parametrize("entry", [{"num_replicas": "auto"}, {"autoscaling_config": {"min_replicas": 1}}])
def test_the_number_of_replicas_is_unknown_when_serve_changes_it(entry):
    assert math.isnan(settings_of({"deployments": [{"name": "M", **entry}]}).replicas)


def test_facts_are_gathered_from_a_trial():
    measured = Measurement.from_metrics({"latency_mean_ms": 10.0, "throughput_rps": 300.0})
    parts = Parts(0.0, 2.0, 1.0, 3.0, 4.0, math.nan)
    breakdown = Breakdown(parts, parts, 100, 1, 30.0, {8: 80, 4: 20}, 8)
    deployments = [{"name": "Ingress"}, {"name": "M", "user_config": {"max_batch_size": 8}}]
    application = {"deployments": deployments}
    used = {"replica_cpu_cores": 0.9, "steal_share": 0.0}
    found = facts_of(application, measured, breakdown, used, concurrency=32, cores=2.0, data_plane="proxy")
    assert found.share("batch_wait", "compute") == pytest.approx(0.7)
    assert found.ms("compute") == pytest.approx(4)
    assert found.fill == pytest.approx(100 / 15 / 8)
    assert [other.knob("num_replicas") for other in found.others] == ["Ingress.num_replicas"]
    assert found.ongoing == pytest.approx(300 * 0.008)
    assert (found.under_way, found.cores, found.replica_cpu_cores) == (32, 2.0, 0.9)
    assert math.isnan(found.proxy_cpu_cores)
    assert found.data_plane == "proxy"


@pytest.mark.parametrize(
    ("user_config", "args", "threads", "knob"),
    [
        ({}, {"threads": 2}, 2.0, "args.threads"),
        ({"intra_op_threads": 4}, {"threads": 4}, 4.0, "M.user_config.intra_op_threads"),
        ({}, {"threads": "two"}, math.nan, "intra_op_threads"),
        ({}, None, math.nan, "intra_op_threads"),
    ],
    ids=["of all deployments", "the deployment's own", "no number", "not stated"],
)
def test_threads_may_be_an_argument_of_the_application(user_config, args, threads, knob):
    found = settings_of({"args": args, "deployments": [{"name": "M", "user_config": user_config}]})
    assert found["intra_op_threads"] == pytest.approx(threads, nan_ok=True)
    assert found.knob("intra_op_threads") == knob
