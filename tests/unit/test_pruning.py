"""Which configurations are left out before anything is deployed, and that nothing is lost by it."""

import math
import pickle

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.experiment import Bursts, ClosedLoop, Experiment, Load, MaxRate, Steady
from orchestrator.objective import Slo
from orchestrator.pruned import BATCH, RESOURCES, WAIT, summary
from orchestrator.pruning import Node, Pruning
from orchestrator.pruning.census import every
from orchestrator.space import Space, parse_knob

SIZE, WAIT_S = "M.user_config.max_batch_size", "M.user_config.batch_wait_timeout_s"
REPLICAS, ONGOING = "M.num_replicas", "M.max_ongoing_requests"
SIZES = {"choice": [1, 2, 4, 8, 16, 32, 64]}

CLIENTS_32 = {"closed_loop": ClosedLoop(concurrency=32)}
PER_SECOND_200 = {"open_loop": Steady(rate_rps=200)}


def app(*others, **options):
    """An application of the deployment M with these options, and of others."""
    entry = {"name": "M", "user_config": {"max_batch_size": 1, "batch_wait_timeout_s": 0.0}, **options}
    return {"import_path": "a:b", "deployments": [entry, *({"name": other} for other in others)]}


def pruning(space, load=CLIENTS_32, slo=None, application=None, node=None, data_plane="haproxy"):
    """The rules for an experiment, of which only the parts that they look at are there."""
    experiment = Experiment.model_construct(
        app=application or app(max_ongoing_requests=256),
        load=Load(**load),
        slo=Slo(**(slo or {})),
        space=Space(knobs={path: parse_knob(knob) for path, knob in space.items()}),
    )
    return Pruning(experiment, node, data_plane)


SIZES_AND_WAITS = {SIZE: SIZES, WAIT_S: {"loguniform": [0.0001, 0.5]}, REPLICAS: {"randint": [1, 4]}}


def batch(size, wait_s=0.01, replicas=1):
    return {SIZE: size, WAIT_S: wait_s, REPLICAS: replicas}


BATCHES = {
    # what the experiment is like, configurations that are pruned, some that are not
    "as many as there are clients": ({}, [batch(64)], [batch(32)]),
    "as many as a replica's share of them": ({}, [batch(32, replicas=2), batch(16, replicas=4)], [batch(16, 0.01, 2)]),
    "a share that is no whole number": ({}, [batch(32, replicas=3)], [batch(16, replicas=3)]),
    "no less without a wait": ({}, [batch(64, 0.0)], [batch(32, 0.0)]),
    "replicas that may be chosen unevenly": ({"data_plane": "proxy"}, [batch(64, replicas=4)], [batch(32, replicas=4)]),
    "a data plane that is not known": ({"data_plane": None}, [batch(64, replicas=4)], [batch(32, replicas=4)]),
    "the limit of a replica": ({"application": app(max_ongoing_requests=10)}, [batch(32)], [batch(16), batch(8)]),
    "a limit that stands in the code alone": ({"application": app()}, [batch(64)], [batch(32), batch(16)]),
    "items that are batched one by one": (
        {"load": {**CLIENTS_32, "items_per_request": 2}},
        [batch(64, replicas=2)],
        [batch(64), batch(32, replicas=2)],
    ),
    "several deployments, one of which may call another many times": (
        {"application": app("Other", max_ongoing_requests=256)},
        [],
        [batch(64), batch(64, replicas=4)],
    ),
    "several deployments and a limit": (
        {"application": app("Other", max_ongoing_requests=16)},
        [batch(32)],
        [batch(16)],
    ),
    "a number of replicas that changes": (
        {"application": app(autoscaling_config={"min_replicas": 2, "max_replicas": 4})},
        [{SIZE: 64, WAIT_S: 0.01}],
        [{SIZE: 32, WAIT_S: 0.01}],
    ),
    "arrivals that do not wait": ({"load": PER_SECOND_200}, [], [batch(64), batch(64, replicas=4)]),
    "the limit under arrivals that do not wait": (
        {"load": PER_SECOND_200, "application": app(max_ongoing_requests=16)},
        [batch(32)],
        [batch(16)],
    ),
    "the highest rate": ({"load": {"max_rate": MaxRate()}}, [], [batch(64, 0.0, 4)]),
}


@pytest.mark.parametrize(("parts", "pruned", "deployed"), BATCHES.values(), ids=BATCHES)
def test_a_batch_larger_than_all_that_can_meet_is_pruned(parts, pruned, deployed):
    rules = pruning(SIZES_AND_WAITS, **parts)
    assert [rules.prune(configuration) for configuration in pruned] == [BATCH] * len(pruned)
    assert [rules.prune(configuration) for configuration in deployed] == [None] * len(deployed)


@pytest.mark.parametrize(
    ("knob", "pruned", "deployed"),
    [
        pytest.param({"choice": [1, 64, 128]}, [128], [64], id="the next larger one"),
        pytest.param({"choice": [1, 64]}, [], [64], id="the only one that holds all"),
        pytest.param({"choice": ["auto", 128, 64]}, [128], ["auto", 64], id="words among them"),
        pytest.param({"randint": [1, 64]}, [33, 64], [31, 32], id="a range"),
        pytest.param({"lograndint": [48, 64]}, [49], [48], id="a range that begins above"),
        pytest.param({"quniform": [10, 60, 10]}, [50, 60], [30, 40], id="a grid"),
        pytest.param(
            {"condition": {32: {}, 64: {"args.x": {"choice": [1, 2]}}}}, [], [32, 64], id="other knobs with it"
        ),
    ],
)
def test_a_batch_is_only_pruned_for_a_smaller_one_in_the_space(knob, pruned, deployed):
    rules = pruning({SIZE: knob})
    assert {size for size in [*pruned, *deployed] if rules.prune({SIZE: size})} == set(pruned)


def test_a_batch_that_is_no_knob_stays():
    big = app(max_ongoing_requests=256, user_config={"max_batch_size": 64, "batch_wait_timeout_s": 0.1})
    assert pruning({REPLICAS: {"randint": [1, 2]}}, application=big).prune({REPLICAS: 2}) is None


def test_every_deployment_is_looked_at():
    two = app("Other", max_ongoing_requests=256)
    two["deployments"][1] |= {"max_ongoing_requests": 8, "user_config": {"max_batch_size": 1}}
    rules = pruning({SIZE: SIZES, "Other.user_config.max_batch_size": SIZES}, application=two)
    assert rules.prune({SIZE: 64, "Other.user_config.max_batch_size": 8}) is None
    assert rules.prune({SIZE: 8, "Other.user_config.max_batch_size": 16}) == BATCH


P99_100, LONG, SHORT = {"p99_ms": 100}, 0.2, 0.09
WAITS = {
    # SLO, the rest of the experiment, batch, whether it waits for too long
    "a batch that its arrivals cannot fill": (P99_100, {"load": PER_SECOND_200}, batch(64, LONG), True),
    "a wait within the limit": (P99_100, {"load": PER_SECOND_200}, batch(64, SHORT), False),
    "a wait of just the limit": (P99_100, {"load": PER_SECOND_200}, batch(64, 0.1), False),
    "a batch that its arrivals may fill": (P99_100, {"load": PER_SECOND_200}, batch(32, LONG), False),
    "fewer arrivals": (P99_100, {"load": {"open_loop": Steady(rate_rps=20)}}, batch(16, LONG), True),
    "more arrivals": (P99_100, {"load": {"open_loop": Steady(rate_rps=1000)}}, batch(64, LONG), False),
    "arrivals that come in heaps": (
        P99_100,
        {"load": {"open_loop": Bursts(arrivals="bursts", rate_rps=1)}},
        batch(64, LONG),
        False,
    ),
    "several items a request": (P99_100, {"load": {**PER_SECOND_200, "items_per_request": 4}}, batch(64, LONG), False),
    "no limit on latency": ({"error_ratio": 0.01}, {"load": PER_SECOND_200}, batch(64, LONG), False),
    "one late request in twenty or more": ({"p95_ms": 50}, {"load": PER_SECOND_200}, batch(64, LONG), False),
    "the same for a stricter percentile": ({"p99_ms": 50}, {"load": PER_SECOND_200}, batch(64, LONG), True),
    "the slowest of all": ({"max_ms": 300}, {"load": PER_SECOND_200}, batch(128, 0.5), True),
    "a median": ({"p50_ms": 1}, {}, batch(64, LONG), False),
    "a mean": ({"mean_ms": 1}, {"load": PER_SECOND_200}, batch(64, LONG), False),
    "one of several limits": ({"mean_ms": 500, "p99_ms": 50}, {"load": PER_SECOND_200}, batch(64, LONG), True),
    "a limit of the replica below the batch": (
        P99_100,
        {"load": {"max_rate": MaxRate()}, "application": app(max_ongoing_requests=4)},
        batch(8, LONG),
        True,
    ),
    "clients that cannot fill it": (P99_100, {}, batch(64, LONG), True),
    "clients that can": (P99_100, {}, batch(32, LONG), False),
    "clients that cannot in each replica": (P99_100, {}, batch(32, LONG, 2), True),
    "so many clients that few are late": (
        P99_100,
        {"load": {"closed_loop": ClosedLoop(concurrency=100)}},
        batch(128, LONG),
        False,
    ),
    "a batch of one": (P99_100, {"load": PER_SECOND_200}, batch(1, LONG), False),
}


@pytest.mark.parametrize(("slo", "parts", "configuration", "expected"), WAITS.values(), ids=WAITS)
def test_a_wait_beyond_the_slo_is_pruned_when_it_is_surely_paid(slo, parts, configuration, expected):
    reason = pruning({SIZE: {"choice": [128, 1]}}, slo=slo, **parts).prune(configuration)
    assert (reason == WAIT) is expected


def test_a_wait_belongs_to_the_size_beside_it():
    apart = app(max_ongoing_requests=256, user_config={"max_batch_size": 64, "inner": {"batch_wait_timeout_s": 9.0}})
    assert pruning({SIZE: SIZES}, PER_SECOND_200, P99_100, apart).prune({SIZE: 64}) is None


def two_cpus(**more):
    return Node({"CPU": 2.0, "memory": 2.0**32, **more})


def asks(replicas=1, **actor):
    return app(num_replicas=replicas, ray_actor_options=actor)


NODES = {
    # application, node, words of the finding (None: it fits)
    "one CPU for each replica by default": (app(num_replicas=3), two_cpus(), "needs 3 CPU (M 3 x 1), and a node has 2"),
    "as much as there is": (app(num_replicas=2), two_cpus(), None),
    "a default beside other options": (asks(3, num_gpus=0), two_cpus(), "needs 3 CPU"),
    "null is the default": (asks(3, num_cpus=None), two_cpus(), "needs 3 CPU"),
    "no CPU at all": (asks(50, num_cpus=0), two_cpus(), None),
    "fractions that add up": (asks(20, num_cpus=0.1), two_cpus(), None),
    "fractions whose binary sum is above theirs": (asks(3, num_cpus=0.1), Node({"CPU": 0.3}), None),
    "a fraction too much": (asks(21, num_cpus=0.1), two_cpus(), "needs 2.1 CPU"),
    "no GPU": (asks(num_gpus=1), two_cpus(), "needs 1 GPU (M 1 x 1), and a node has 0"),
    "GPUs in halves": (asks(4, num_cpus=0, num_gpus=0.5), two_cpus(GPU=2), None),
    "shares of a GPU that do not fit on one": (asks(3, num_cpus=0, num_gpus=0.6), two_cpus(GPU=2), "needs 3 GPU"),
    "shares of a GPU that do": (asks(2, num_cpus=0, num_gpus=0.6), two_cpus(GPU=2), None),
    "memory": (asks(2, memory=3 * 2**30), two_cpus(), "needs 6 GiB memory (M 2 x 3 GiB), and a node has 4 GiB"),
    "a resource of one's own": (asks(resources={"fpga": 2}), two_cpus(fpga=1), "needs 2 fpga"),
    "one that no node has": (asks(resources={"fpga": 2}), two_cpus(), "needs 2 fpga"),
    "one that is not known": (asks(resources={"fpga": 2}), Node({"CPU": 2}, others=math.inf), None),
    "several deployments": (app("Other", "Third"), two_cpus(), "(M 1 x 1, Other 1 x 1, Third 1 x 1)"),
    "replicas that are always there": (
        app(autoscaling_config={"min_replicas": 3, "max_replicas": 9}),
        two_cpus(),
        "needs 3 CPU",
    ),
    "replicas that may come": (app(num_replicas="auto"), two_cpus(), None),
    "the first bundle of a placement group": (app(placement_group_bundles=[{"CPU": 2}, {"CPU": 9}]), two_cpus(), None),
    "all of its bundles on one node": (
        app(placement_group_bundles=[{"CPU": 2}, {"CPU": 9}], placement_group_strategy="STRICT_PACK"),
        two_cpus(),
        "needs 11 CPU",
    ),
    "a node that is not known": (app(num_replicas=99), None, None),
}


@pytest.mark.parametrize(("application", "node", "words"), NODES.values(), ids=NODES)
def test_what_the_node_does_not_have_is_pruned(application, node, words):
    finding = pruning({}, application=application, node=node).finding({})
    assert (finding and finding.reason) == (RESOURCES if words else None)
    assert words is None or words in finding.sentence


def test_of_several_nodes_the_largest_counts():
    node = Node.largest_of([{"CPU": 2.0, "GPU": 1.0}, {"CPU": 8.0, "memory": 5.0}])
    assert (node.has("CPU"), node.has("GPU"), node.has("memory"), node.has("fpga")) == (8, 1, 5, 0)


EXAMPLES = {
    BATCH: (
        {SIZE: SIZES, REPLICAS: {"randint": [1, 2]}},
        {},
        {SIZE: 64, REPLICAS: 2},
        f"{SIZE} is 64, and a replica has at most 16 requests at a time (32 clients over 2 replicas): "
        "16 takes them all too, and then waits for no more",
    ),
    WAIT: (
        {SIZE: SIZES, WAIT_S: {"uniform": [0, 1]}},
        {"load": PER_SECOND_200, "slo": P99_100},
        {SIZE: 64, WAIT_S: 0.2},
        f"{WAIT_S} is 200 ms, and within the 100 ms of p99_ms at most 40 requests meet in a replica: "
        "batches of 64 are not full before, and in each of them somebody waits for too long",
    ),
    "same as another": (
        {SIZE: SIZES, WAIT_S: {"loguniform": [0.001, 1]}},
        {},
        {SIZE: 1, WAIT_S: 0.123456},
        f"{WAIT_S} 0.123 is the same as 0.001: a batch of 1 is full at once",
    ),
}


@pytest.mark.parametrize("reason", EXAMPLES)
def test_a_finding_says_what_was_found_and_what_would_do(reason):
    space, parts, configuration, sentence = EXAMPLES[reason]
    assert pruning(space, **parts).finding(configuration) == (reason, sentence)


@pytest.mark.parametrize(
    ("pruned", "text"),
    [
        ({}, "none"),
        ({BATCH: 0}, "none"),
        ({BATCH: 5, RESOURCES: 9}, "14 (9 more resources than the node has, 5 batch cannot form)"),
        ({WAIT: 1234}, "1,234 (1,234 batch wait beyond the SLO)"),
    ],
)
def test_what_was_pruned_fits_into_a_line(pruned, text):
    assert summary(pruned) == text


def test_the_rules_can_be_sent_to_another_process():
    rules = pruning({SIZE: SIZES}, node=two_cpus())
    assert pickle.loads(pickle.dumps(rules)).prune({SIZE: 64}) == BATCH


SPACES = {
    SIZE: st.lists(st.integers(1, 40), min_size=1, max_size=4, unique=True),
    WAIT_S: st.lists(st.sampled_from([0.0, 0.01, 0.2]), min_size=1, unique=True),
    ONGOING: st.lists(st.integers(1, 40), min_size=1, max_size=2, unique=True),
    REPLICAS: st.lists(st.integers(1, 4), min_size=1, max_size=2, unique=True),
}
EXPERIMENTS = st.fixed_dictionaries(
    {path: values.map(lambda found: {"choice": found}) for path, values in SPACES.items()}
)
FEW = settings(max_examples=20)  # each of them looks at a whole space


@FEW
@given(EXPERIMENTS, st.integers(1, 40), st.integers(1, 3), st.sampled_from([{}, P99_100]))
def test_beside_every_batch_that_is_pruned_stands_a_smaller_one_that_is_not(space, clients, items, slo):
    rules = pruning(space, {"closed_loop": ClosedLoop(concurrency=clients), "items_per_request": items}, slo)
    configurations = list(every(rules.experiment.space))
    for one in configurations:
        if rules.prune(one) == BATCH:
            enough = items * min(one[ONGOING], math.ceil(clients / one[REPLICAS]))
            others = [two for two in configurations if {**two, SIZE: 0} == {**one, SIZE: 0} and not rules.prune(two)]
            assert any(enough <= two[SIZE] < one[SIZE] for two in others)


@FEW
@given(EXPERIMENTS, st.integers(1, 40), st.data())
def test_more_clients_or_more_of_a_resource_never_prune_more(space, clients, data):
    def pruned(clients, cpus):
        load = {"closed_loop": ClosedLoop(concurrency=clients)}
        rules = pruning(space, load, node=Node({"CPU": cpus}))
        return {str(one) for one in every(rules.experiment.space) if rules.prune(one)}

    cpus = data.draw(st.integers(0, 4))
    more_clients, more_cpus = data.draw(st.integers(clients, 40)), data.draw(st.integers(cpus, 4))
    assert pruned(more_clients, more_cpus) <= pruned(clients, cpus)


def test_a_baseline_outside_of_the_space_may_equal_one_inside():
    rules = pruning({SIZE: SIZES, WAIT_S: {"loguniform": [0.001, 1]}, ONGOING: {"lograndint": [16, 128]}})
    assert rules.canonical({SIZE: 1, WAIT_S: 0.0, ONGOING: 256}) == {SIZE: 1, WAIT_S: 0.001, ONGOING: 32}
    assert rules.canonical({SIZE: 2, WAIT_S: 0.0, ONGOING: 8}) == {SIZE: 2, WAIT_S: 0.0, ONGOING: 8}


@FEW
@given(EXPERIMENTS, st.integers(1, 40))
def test_one_configuration_stands_for_all_that_are_equal(space, clients):
    rules = pruning(space, {"closed_loop": ClosedLoop(concurrency=clients)})
    for one in every(rules.experiment.space):
        same = rules.canonical(one)
        assert rules.experiment.space.contains(same)
        assert rules.canonical(same) == same
        assert rules.prune(one) or not rules.prune(same)
        assert (same != one) <= (rules.finding(one) is not None)
