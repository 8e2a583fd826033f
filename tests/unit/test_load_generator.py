import asyncio
import time
from dataclasses import replace

import numpy as np
import pytest
import uvloop

from orchestrator.load.closed_loop import ClosedLoopDriver
from orchestrator.load.driver import Driver
from orchestrator.load.endpoint import Payload, encode
from orchestrator.load.generator import Generator, perf_counter_at
from orchestrator.load.open_loop import OpenLoopDriver
from orchestrator.load.plan import ClosedLoop, OpenLoop
from orchestrator.measure.samples import Outcome, Samples
from tests.fakes import servers
from tests.fakes.event_loop import turn
from tests.fakes.servers import ScriptedServer, refusing_endpoint


def open_loop(*arrivals_s, **limits):
    return OpenLoop(np.array(arrivals_s, float), **limits)


def run(traffic, *script, until=None, requests=12, timeout_s=5.0, paths=("/",), began_s_ago=0.0):
    """The record of a load on a server that plays `script`, the requests it saw, and the server in the end.

    The load is stopped after `until(generator, server)` or after so many requests.
    """

    async def scenario():
        async with ScriptedServer.running(*script) as (server, endpoint):
            generator = Generator(
                endpoint, [encode(endpoint, Payload(b"hi", path)) for path in paths], traffic, timeout_s
            )
            generator.start(time.time() - began_s_ago)
            try:
                seen = [await server.requests.get() for _ in range(0 if until else requests)]
                if until:
                    await until(generator, server)
                record = await asyncio.to_thread(generator.collect)
            finally:
                await asyncio.to_thread(generator.abort)
                await server.all_connections_closed()
            return record, seen, server

    return uvloop.run(scenario())


async def rows(generator, count):
    """Wait until so many requests have ended."""
    parts = []
    while sum(map(len, parts)) < count:
        parts.append(generator.progress())
        await turn()
    return parts


def test_a_closed_loop_is_so_many_connections_with_one_request_in_flight_each():
    record, _, server = run(ClosedLoop(3), servers.ok)
    samples = record.samples
    assert server.connections == record.ticks.connections == 3
    assert samples.ok.all()
    np.testing.assert_array_equal(np.sort(samples.scheduled_s)[:3], 0)
    for moment in np.linspace(0, samples.done_s.max(), 50):
        assert np.count_nonzero((samples.scheduled_s <= moment) & (samples.done_s > moment)) <= 3


def test_in_a_closed_loop_a_request_is_scheduled_when_its_client_became_free():
    samples = run(ClosedLoop(1), servers.ok)[0].samples
    np.testing.assert_array_equal(samples.scheduled_s[1:], samples.done_s[:-1])


def test_a_think_time_is_kept_between_an_answer_and_the_next_request():
    samples = run(ClosedLoop(1, think_time_s=0.002), servers.ok, servers.unavailable)[0].samples
    np.testing.assert_allclose(samples.scheduled_s[1:], samples.done_s[:-1] + 0.002, rtol=0, atol=1e-9)
    assert (samples.sent_s >= samples.scheduled_s).all()


def test_clients_that_think_start_one_after_the_other():
    samples = run(ClosedLoop(4, think_time_s=0.02), servers.ok)[0].samples
    np.testing.assert_allclose(np.sort(samples.scheduled_s)[:4], [0, 0.005, 0.01, 0.015], rtol=0, atol=1e-9)


@pytest.mark.parametrize("traffic", [ClosedLoop(1), open_loop(*[0.0] * 12, max_connections=1)], ids=["closed", "open"])
def test_requests_are_taken_in_turn(traffic):
    _, seen, _ = run(traffic, servers.ok, paths=("/a", "/b", "/c"))
    assert [line.split()[1] for line in seen] == [b"/a", b"/b", b"/c"] * 4


def test_in_an_open_loop_requests_are_scheduled_by_the_plan():
    arrivals = np.arange(12) * 0.002
    record, _, _ = run(OpenLoop(arrivals), servers.ok, servers.unavailable)
    samples = record.samples
    np.testing.assert_allclose(np.sort(samples.scheduled_s), arrivals, rtol=0, atol=1e-9)
    assert (samples.sent_s >= samples.scheduled_s).all()
    assert np.bincount(samples.outcome).tolist() == [6, 6]
    assert record.ticks.held_back == 0


def test_time_0_is_a_moment_of_the_common_clock():
    samples = run(open_loop(3600), servers.ok, requests=1, began_s_ago=3600)[0].samples
    assert samples.scheduled_s == pytest.approx(3600)
    assert perf_counter_at(1000.0) - perf_counter_at(0.0) == pytest.approx(1000, abs=0.1)


def test_an_open_loop_does_not_wait_for_answers_and_uses_free_connections_again():
    released = asyncio.Event()

    async def five_at_once_and_one_later(generator, server):
        for _ in range(5):
            await server.requests.get()
        assert server.open_connections == 5
        released.set()
        await rows(generator, 6)

    traffic = open_loop(0, 0, 0, 0, 0, 0.2)
    record, _, server = run(traffic, servers.once(released, servers.ok), until=five_at_once_and_one_later)
    assert record.samples.ok.all()
    assert server.connections == record.ticks.connections == 5


def test_beyond_the_most_connections_requests_wait_in_the_client_in_order():
    released = asyncio.Event()

    async def two_of_five(generator, server):
        for _ in range(2):
            await server.requests.get()
        released.set()
        await rows(generator, 5)

    arrivals = [0, 0.001, 0.002, 0.003, 0.004]
    traffic = open_loop(*arrivals, max_connections=2)
    record, _, server = run(traffic, servers.once(released, servers.ok), until=two_of_five, began_s_ago=1)  # all due
    assert record.ticks.held_back == 0  # they were late before any connection was busy
    samples = record.samples
    assert samples.ok.all()
    assert server.connections == 2
    by_schedule = np.argsort(samples.scheduled_s)
    np.testing.assert_allclose(samples.scheduled_s[by_schedule], arrivals, rtol=0, atol=1e-9)
    assert (np.diff(samples.sent_s[by_schedule][2:]) >= 0).all()
    assert (samples.sent_s[by_schedule][2:] >= samples.done_s.min()).all()


def test_requests_that_find_every_connection_busy_are_counted():
    async def three(generator, server):
        await rows(generator, 3)

    traffic = open_loop(0, 0.1, 0.11, max_connections=1)
    assert run(traffic, servers.never, until=three, timeout_s=0.2)[0].ticks.held_back == 2


def test_what_never_left_within_its_time_out_is_unsent():
    record, _, _ = run(open_loop(0, 0, 0, max_connections=1), servers.never, requests=1, timeout_s=0.02)
    samples = record.samples
    assert sorted(samples.outcome) == [Outcome.TIMEOUT, Outcome.UNSENT, Outcome.UNSENT]
    np.testing.assert_array_equal(np.isnan(samples.sent_s), samples.outcome == Outcome.UNSENT)
    assert (samples.response_time_s >= 0.02).all()


def test_what_is_due_after_the_stop_is_not_scheduled():
    record, _, _ = run(open_loop(0, 0, 3600), servers.ok, requests=2)
    assert len(record.samples) == 2


def test_an_open_loop_connects_at_the_rate_of_its_arrivals_however_often_it_is_refused():
    generator = Generator(refusing_endpoint(), [b"x"], open_loop(*[0.0] * 20, max_connections=3), timeout_s=5)
    generator.start(time.time())
    asyncio.run(rows(generator, 20))
    samples = generator.collect().samples
    assert samples.outcome.tolist() == [Outcome.BROKEN] * 20


def test_a_closed_loop_does_not_hammer_a_server_that_refuses():
    generator = Generator(refusing_endpoint(), [b"x"], ClosedLoop(2), timeout_s=5)
    generator.start(time.time())
    asyncio.run(rows(generator, 6))
    samples = generator.collect().samples
    assert set(samples.outcome) == {Outcome.BROKEN}
    assert samples.done_s[5] >= 0.03  # tried at 0, 10 and 30 ms


@pytest.mark.parametrize("traffic", [ClosedLoop(2), open_loop(*[0.0] * 4)], ids=["closed", "open"])
def test_requests_without_an_answer_time_out(traffic):
    record, _, _ = run(traffic, servers.never, requests=4, timeout_s=0.02)
    samples = record.samples
    assert set(samples.outcome) == {Outcome.TIMEOUT}
    assert len(samples) >= 4
    assert (samples.response_time_s >= 0.02).all()


@pytest.mark.parametrize("traffic", [ClosedLoop(3), open_loop(0, 0, 0)], ids=["closed", "open"])
def test_what_is_under_way_at_the_end_is_awaited(traffic):
    released = asyncio.Event()

    async def stop_before_the_answers(generator, server):
        for _ in range(3):
            await server.requests.get()
        generator.stop()
        asyncio.get_running_loop().call_later(0.01, released.set)

    record, _, _ = run(traffic, servers.once(released, servers.ok), until=stop_before_the_answers)
    assert record.samples.outcome.tolist() == [Outcome.OK] * 3


def test_progress_is_what_is_new_and_without_server_times():
    parts = []

    async def twice(generator, server):
        parts.extend(await rows(generator, 5))
        parts.extend(await rows(generator, 5))

    samples = run(ClosedLoop(2), servers.ok, servers.unavailable, until=twice)[0].samples
    so_far = Samples(**{name: np.concatenate([p.columns()[name] for p in parts]) for name in samples.columns()})
    assert 10 <= len(so_far) <= len(samples)
    known = {"queue_s", "batch_wait_s", "compute_s", "batch_size"}
    for name, column in so_far.columns().items():
        if name in known:
            assert np.isnan(column).all()
        else:
            np.testing.assert_array_equal(column, samples.columns()[name][: len(so_far)])
    np.testing.assert_allclose(samples.compute_s[samples.ok], 0.003)
    assert (np.diff(samples.done_s) >= 0).all()


@pytest.mark.parametrize("behaviour", [servers.ok, servers.never], ids=["busy", "waiting"])
@pytest.mark.parametrize("traffic", [ClosedLoop(4), open_loop(*[0.0] * 4, 3600)], ids=["closed", "open"])
def test_an_abort_closes_every_connection_at_once_and_leaves_what_had_ended(traffic, behaviour):
    async def abort(generator, server):
        for _ in range(4):
            await server.requests.get()
        await asyncio.to_thread(generator.abort)

    record, _, server = run(traffic, behaviour, until=abort, timeout_s=3600)
    assert server.open_connections == 0
    assert record.samples.ok.all()


def test_a_generator_that_has_not_begun_can_be_aborted():
    Generator(refusing_endpoint(), [b"x"], ClosedLoop(1), timeout_s=1).abort()


@pytest.mark.parametrize(
    ("where", "traffic"),
    [
        pytest.param((Driver, "give_up_overdue"), ClosedLoop(1), id="between requests"),
        pytest.param((ClosedLoopDriver, "_on_free"), ClosedLoop(1), id="in an answer"),
        pytest.param((OpenLoopDriver, "_on_time"), open_loop(0), id="in a timer"),
        pytest.param((OpenLoopDriver, "__init__"), open_loop(0), id="at the start"),
    ],
)
def test_a_failure_of_the_generator_itself_is_raised_to_whoever_asks(monkeypatch, where, traffic):
    def fail(*args):
        raise ZeroDivisionError

    monkeypatch.setattr(*where, fail)

    async def ask(generator, server):
        with pytest.raises(ZeroDivisionError):
            await rows(generator, 10**9)

    with pytest.raises(ZeroDivisionError):  # from collecting
        run(traffic, servers.ok, until=ask)


def test_what_the_client_used_is_read_all_along():
    async def until(generator, server):
        await rows(generator, 1)

    ticks = run(ClosedLoop(2), servers.ok, until=until)[0].ticks
    assert len(ticks.at_s) >= 2
    assert (np.diff(ticks.at_s) > 0).all()
    assert (np.diff(ticks.cpu_s) >= 0).all()
    assert ticks.cpu_s[-1] > 0
    use = replace(ticks, waiting_s=ticks.cpu_s).use((ticks.at_s[0], ticks.at_s[-1]))
    assert 0 < use.cpu_share == use.waiting_share <= 1.05


@pytest.mark.parametrize(
    ("requests", "timeout_s", "message"),
    [([], 1.0, "at least one request"), ([b"x"], 0.0, "timeout_s"), ([b"x"], float("nan"), "timeout_s")],
)
def test_a_generator_that_cannot_work_is_refused(requests, timeout_s, message):
    with pytest.raises(ValueError, match=message):
        Generator(refusing_endpoint(), requests, ClosedLoop(1), timeout_s)
