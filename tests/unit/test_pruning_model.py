"""The claims on which pruning rests, on a model of replicas that batch as Serve does."""

import heapq
import itertools
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.experiment import ClosedLoop, Load
from orchestrator.objective import Slo
from orchestrator.pruning.batching import late, plateaus
from orchestrator.pruning.crowd import Crowd
from orchestrator.serve_config.settings import MAX_BATCH_SIZE, MAX_ONGOING, Settings

REQUESTS = 200


class Replica:
    """Computes batch after batch; collects the next one until it is full or its first request has waited."""

    def __init__(self, size, wait_s, limit):
        self.size, self.wait_s, self.limit = size, wait_s, limit
        self.here, self.computing, self.until_s = [], [], None

    def __len__(self):
        return len(self.here) + len(self.computing)

    def next_batch(self, now_s):
        """The requests that start now, none while the replica waits or computes."""
        let_in = self.here[: self.limit]
        if self.computing or not let_in:
            return []
        if self.until_s is None:
            self.until_s = now_s + self.wait_s
        if len(let_in) < self.size and now_s < self.until_s:
            return []
        self.computing, self.until_s = let_in[: self.size], None
        del self.here[: len(self.computing)]
        return self.computing


def closed_loop(clients, replicas, size, wait_s, limit=1_000, base_s=0.005, each_s=0.0002):
    """Response times of clients that are sent to the replica with the fewest requests, and the most it ever had.

    Seconds of a clock that this function turns itself.
    """
    order, events = itertools.count(), []
    servers = [Replica(size, wait_s, limit) for _ in range(replicas)]
    responses_s, most = [], 0
    for _ in range(clients):
        heapq.heappush(events, (0.0, next(order), "arrival", None))
    while len(responses_s) < REQUESTS:
        now_s, _, what, server = heapq.heappop(events)
        if what == "arrival":
            server = min(servers, key=len)
            server.here.append(now_s)
            most = max(most, len(server))
        elif what == "end":
            responses_s += [now_s - arrived_s for arrived_s in server.computing]
            for _ in server.computing:
                heapq.heappush(events, (now_s, next(order), "arrival", None))
            server.computing = []
        if batch := server.next_batch(now_s):
            heapq.heappush(events, (now_s + base_s + each_s * len(batch), next(order), "end", server))
        elif server.until_s is not None and what != "timer":
            heapq.heappush(events, (server.until_s, next(order), "timer", server))
    return responses_s, most, now_s


def of(size, wait_s, replicas, limit=math.nan):
    """The settings of a deployment M, whose limit may be unknown, and the crowd of so many clients."""
    values = {"max_batch_size": size, "batch_wait_timeout_s": wait_s, "num_replicas": replicas}
    if not math.isnan(limit):
        values[MAX_ONGOING] = limit
    return Settings(values, {name: f"M.{name}" for name in values})


def crowd(clients):
    return Crowd.of(Load(closed_loop=ClosedLoop(concurrency=clients)), deployments=1, even=True)


CLIENTS, REPLICAS, WAITS_S = st.integers(1, 24), st.integers(1, 4), st.sampled_from([0.0, 0.001, 0.02, 0.1])
LIMITS = st.sampled_from([1, 3, 8, 100])
ABOVE = st.integers(1, 20)
FEW = settings(max_examples=40)


@FEW
@given(CLIENTS, REPLICAS, st.integers(1, 24), WAITS_S)
def test_no_replica_ever_has_more_than_its_share(clients, replicas, size, wait_s):
    _, most, _ = closed_loop(clients, replicas, size, wait_s)
    assert most <= crowd(clients).share(of(size, wait_s, replicas))


@FEW
@given(CLIENTS, REPLICAS, st.integers(1, 30), WAITS_S, LIMITS, ABOVE)
def test_all_values_on_a_plateau_have_the_same_effect(clients, replicas, size, wait_s, limit, above):
    for path, start, _ in plateaus(of(size, wait_s, replicas, limit), crowd(clients)):
        if path == f"M.{MAX_BATCH_SIZE}":
            runs = [closed_loop(clients, replicas, value, wait_s, limit) for value in (int(start), int(start) + above)]
        elif path == f"M.{MAX_ONGOING}":
            runs = [closed_loop(clients, replicas, size, wait_s, value) for value in (int(start), int(start) + above)]
        else:
            runs = [closed_loop(clients, replicas, size, value, limit) for value in (start, start + wait_s)]
        assert runs[0] == runs[1]


@FEW
@given(CLIENTS, REPLICAS, WAITS_S, LIMITS, ABOVE)
def test_a_batch_that_holds_all_is_as_fast_as_a_larger_one(clients, replicas, wait_s, limit, above):
    enough = int(crowd(clients).at_once(of(1, wait_s, replicas, limit)))
    _, _, took_s = closed_loop(clients, replicas, enough, wait_s, limit)
    _, _, larger_took_s = closed_loop(clients, replicas, enough + above, wait_s, limit)
    # the last of so few requests may come a little sooner by luck
    assert took_s <= larger_took_s * 1.02


@pytest.mark.parametrize("limit", ["p90_ms", "p95_ms", "p99_ms", "max_ms"])
@FEW
@given(clients=CLIENTS, replicas=REPLICAS, above=ABOVE)
def test_a_wait_that_is_pruned_breaks_the_slo(limit, clients, replicas, above):
    size = math.ceil(clients / replicas) + above
    if late(of(size, 0.2, replicas), crowd(clients), Slo(**{limit: 100})):
        responses_s, _, _ = closed_loop(clients, replicas, size, 0.2)
        allowed = {"p90_ms": 0.1, "p95_ms": 0.05, "p99_ms": 0.01, "max_ms": 0}[limit]
        assert sum(response_s > 0.1 for response_s in responses_s) > allowed * len(responses_s)
