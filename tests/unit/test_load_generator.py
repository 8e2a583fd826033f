import asyncio
import math
import threading

import numpy as np
import pytest
import uvloop

from orchestrator.load.endpoint import Payload, encode
from orchestrator.load.generator import ClosedLoopPlan, drive_closed_loop, run_closed_loop
from orchestrator.measure.samples import Outcome
from tests.fakes import servers
from tests.fakes.servers import ScriptedServer, refusing_endpoint


def plan(**changes):
    return ClosedLoopPlan(
        **{"concurrency": 4, "warmup_s": 0.02, "min_s": 0.0, "max_s": 0.06, "timeout_s": 5.0, **changes}
    )


def never_enough(samples, window_start, now):
    return False


def drive(*script, load, should_stop=never_enough, stop=None, paths=("/",)):
    """The record of a load on a server that plays `script`, and the server once all connections closed."""

    async def scenario():
        async with ScriptedServer.running(*script) as (server, endpoint):
            requests = [encode(endpoint, Payload(b"hi", path)) for path in paths]
            record = await drive_closed_loop(endpoint, requests, load, should_stop, stop)
            await server.all_connections_closed()
            return record, server

    return uvloop.run(scenario())


def test_the_window_opens_after_the_warm_up_which_stays_in_the_samples():
    record, _ = drive(servers.ok, load=plan())
    start, end = record.window
    assert start == 0.02
    assert end >= start + 0.06
    assert record.samples.scheduled_s.min() == 0
    assert (record.samples.scheduled_s < end).all()
    assert record.samples.ok.all()


def test_each_client_has_one_connection_and_one_request_in_flight():
    record, server = drive(servers.ok, load=plan(concurrency=3))
    assert server.connections == 3
    samples = record.samples
    for moment in np.linspace(0, record.window[1], 50):
        in_flight = (samples.scheduled_s <= moment) & (samples.done_s > moment)
        assert np.count_nonzero(in_flight) <= 3


def test_a_request_is_scheduled_when_its_client_became_free():
    samples = drive(servers.ok, load=plan(concurrency=1))[0].samples
    np.testing.assert_array_equal(samples.scheduled_s[1:], samples.done_s[:-1])


def test_requests_are_taken_in_turn():
    _, server = drive(servers.ok, load=plan(concurrency=1), paths=("/a", "/b", "/c"))
    lines = [server.requests.get_nowait().decode() for _ in range(server.requests.qsize())]
    assert len(lines) >= 3
    assert [line.split()[1] for line in lines] == [("/a", "/b", "/c")[i % 3] for i in range(len(lines))]


def test_measuring_ends_when_the_samples_suffice():
    asked = []

    def enough(samples, window_start, now):
        asked.append((len(samples), window_start, now))
        return True

    record, _ = drive(servers.ok, load=plan(min_s=0.05, max_s=60.0), should_stop=enough)
    ((count, window_start, now),) = asked
    assert 0 < count <= len(record.samples)
    assert window_start == 0.02
    assert now >= 0.02 + 0.05
    assert now <= record.window[1] < 60


def test_the_server_times_are_complete_at_the_end_and_unknown_before():
    seen = []

    def enough(samples, window_start, now):
        seen.append(samples)
        return True

    record, _ = drive(servers.ok, load=plan(min_s=0.05, max_s=60.0), should_stop=enough)
    assert np.isnan(seen[0].compute_s).all()
    np.testing.assert_allclose(record.samples.compute_s, 0.003)


def test_requests_without_an_answer_time_out_and_the_load_goes_on():
    record, _ = drive(servers.never, load=plan(concurrency=2, timeout_s=0.02))
    outcomes = record.samples.outcome
    assert set(outcomes) == {Outcome.TIMEOUT}
    assert len(outcomes) >= 4
    assert (record.samples.response_time_s >= 0.02).all()


def test_what_is_in_flight_at_the_end_is_awaited_and_then_timed_out():
    record, _ = drive(servers.never, load=plan(concurrency=3, max_s=0.01, timeout_s=0.1))
    assert record.samples.outcome.tolist() == [Outcome.TIMEOUT] * 3
    assert (record.samples.done_s > record.window[1]).all()


def test_a_refusing_server_is_not_hammered():
    endpoint = refusing_endpoint()
    record = run_closed_loop(endpoint, [b"x"], plan(concurrency=2, max_s=0.2), never_enough)
    assert set(record.samples.outcome) == {Outcome.BROKEN}
    attempts_in_the_window_and_the_drain = 6  # at 0, 10, 30, 70, 150 and 310 ms
    assert len(record.samples) <= 2 * attempts_in_the_window_and_the_drain


def test_a_stop_signal_ends_the_load_at_once():
    stop = threading.Event()
    stop.set()
    record, server = drive(servers.ok, load=plan(max_s=3600.0, warmup_s=3600.0), stop=stop)
    assert record.window == (3600.0, 3600.0)
    assert len(record.samples) <= server.requests.qsize()


def test_a_stop_signal_during_the_load_keeps_what_was_measured():
    stop = threading.Event()

    def signal(samples, window_start, now):
        stop.set()
        return False

    record, _ = drive(servers.ok, load=plan(min_s=0.05, max_s=3600.0), should_stop=signal, stop=stop)
    assert record.window[1] < 3600
    assert record.samples.ok.all()


@pytest.mark.parametrize("behaviour", [servers.ok, servers.never], ids=["busy", "waiting"])
def test_cancellation_closes_every_connection(behaviour):
    async def scenario():
        async with ScriptedServer.running(behaviour) as (server, endpoint):
            request = encode(endpoint, Payload(b"hi"))
            load = drive_closed_loop(endpoint, [request], plan(max_s=3600.0), never_enough)
            task = asyncio.create_task(load)
            for _ in range(4):
                await server.requests.get()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await server.all_connections_closed()
            return server.connections

    assert uvloop.run(scenario()) == 4


def test_an_error_in_the_stopping_rule_is_raised_after_closing_every_connection():
    def broken(samples, window_start, now):
        raise ZeroDivisionError

    async def scenario():
        async with ScriptedServer.running(servers.ok) as (server, endpoint):
            request = encode(endpoint, Payload(b"hi"))
            with pytest.raises(ZeroDivisionError):
                await drive_closed_loop(endpoint, [request], plan(max_s=3600.0), broken)
            await server.all_connections_closed()

    uvloop.run(scenario())


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"concurrency": 0}, id="no clients"),
        pytest.param({"warmup_s": -1.0}, id="negative warm-up"),
        pytest.param({"warmup_s": math.nan}, id="warm-up is no number"),
        pytest.param({"min_s": 2.0, "max_s": 1.0}, id="min beyond max"),
        pytest.param({"max_s": 0.0}, id="empty window"),
        pytest.param({"max_s": math.inf}, id="endless"),
        pytest.param({"timeout_s": 0.0}, id="no time for an answer"),
    ],
)
def test_a_plan_that_cannot_be_carried_out_is_refused(changes):
    with pytest.raises(ValueError, match=next(iter(changes))):
        plan(**changes)


def test_a_load_without_requests_is_refused():
    with pytest.raises(ValueError, match="at least one request"):
        run_closed_loop(refusing_endpoint(), [], plan(), never_enough)
