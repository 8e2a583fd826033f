import asyncio
import math
import time

import numpy as np
import pytest
import uvloop

from orchestrator.load.client import Client, backoff_s
from orchestrator.load.recorder import Recorder
from orchestrator.load.server_timing import parse_server_timing
from orchestrator.measure.samples import Outcome
from tests.fakes import servers
from tests.fakes.event_loop import turn
from tests.fakes.servers import ScriptedServer, refusing_endpoint

REQUEST = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi"


class OneByOne:
    """Sends `count` requests with one client, the next from within the end of the one before."""

    def __init__(self, endpoint, count):
        self.recorder = Recorder(time.perf_counter())
        self.client = Client(endpoint, self.recorder, time.perf_counter, self._on_free)
        self._left = count
        self._finished = asyncio.Event()

    def start(self):
        self._on_free(self.client, time.perf_counter())

    async def samples(self):
        await self._finished.wait()
        self.client.close()
        return self.recorder.samples()

    def _on_free(self, client, now):
        self._left -= 1
        if self._left < 0:
            self._finished.set()
        else:
            client.send(REQUEST, now)


async def send(endpoint, count):
    load = OneByOne(endpoint, count)
    load.start()
    return await load.samples()


def play(*script, count):
    """Samples of `count` requests to a server that plays `script`, and how many connections that took."""

    async def scenario():
        async with ScriptedServer.running(*script) as (server, endpoint):
            samples = await send(endpoint, count)
            await server.all_connections_closed()
            return samples, server.connections

    return uvloop.run(scenario())


@pytest.mark.parametrize(
    ("behaviour", "outcome", "status", "connections"),
    [
        pytest.param(servers.ok, Outcome.OK, 200, 1, id="ok"),
        pytest.param(servers.no_content, Outcome.OK, 204, 1, id="no content"),
        pytest.param(servers.split, Outcome.OK, 200, 1, id="split over many packets"),
        pytest.param(servers.chunked, Outcome.OK, 200, 1, id="chunked"),
        pytest.param(servers.interim, Outcome.OK, 200, 1, id="after an interim answer"),
        pytest.param(servers.connection_close, Outcome.OK, 200, 3, id="connection close"),
        pytest.param(servers.until_closed, Outcome.OK, 200, 3, id="ends with the connection"),
        pytest.param(servers.unavailable, Outcome.HTTP_ERROR, 503, 1, id="503"),
        pytest.param(servers.redirect, Outcome.HTTP_ERROR, 302, 1, id="redirect"),
        pytest.param(servers.closes_at_once, Outcome.BROKEN, 0, 3, id="closed without an answer"),
        pytest.param(servers.closes_mid_head, Outcome.BROKEN, 0, 3, id="closed within the head"),
        pytest.param(servers.closes_after_interim, Outcome.BROKEN, 0, 3, id="closed after an interim answer"),
        pytest.param(servers.closes_mid_body, Outcome.BROKEN, 0, 3, id="closed within the body"),
        pytest.param(servers.closes_mid_chunk, Outcome.BROKEN, 0, 3, id="closed within a chunk"),
        pytest.param(servers.garbage, Outcome.BROKEN, 0, 3, id="not HTTP"),
        pytest.param(servers.two_answers, Outcome.BROKEN, 0, 3, id="two answers to one request"),
        pytest.param(servers.upgrade, Outcome.BROKEN, 0, 3, id="another protocol"),
    ],
)
def test_every_end_of_a_request_is_an_outcome(behaviour, outcome, status, connections):
    samples, opened = play(behaviour, count=3)
    assert samples.outcome.tolist() == [outcome] * 3
    assert samples.status.tolist() == [status] * 3
    assert opened == connections


def test_a_failure_costs_one_request_and_no_more():
    script = (servers.no_content, servers.closes_at_once, servers.ok, servers.garbage, servers.ok)
    samples, _ = play(*script, count=5)
    good, bad = Outcome.OK, Outcome.BROKEN
    assert samples.outcome.tolist() == [good, bad, good, bad, good]


def test_server_timing_is_recorded_where_the_answer_has_it():
    samples, _ = play(servers.ok, servers.untimed, servers.closes_mid_body, servers.split, count=4)
    nan = math.nan
    np.testing.assert_allclose(samples.queue_s, [0.0015, nan, nan, 0.0015])
    np.testing.assert_allclose(samples.batch_wait_s, [0.0005, nan, nan, 0.0005])
    np.testing.assert_allclose(samples.compute_s, [0.003, nan, nan, 0.003])
    np.testing.assert_allclose(samples.batch_size, [8, nan, nan, 8])


EARLY_HINTS = b"HTTP/1.1 103 Early Hints\r\nServer-Timing: compute;dur=9\r\n\r\n"
TIMED = servers.answer(headers=b"server-timing: compute;dur=3\r\n")


@pytest.mark.parametrize(
    "pieces",
    [
        pytest.param([EARLY_HINTS, TIMED], id="a packet each"),
        pytest.param([EARLY_HINTS + TIMED], id="one packet"),
        pytest.param([EARLY_HINTS + EARLY_HINTS + TIMED[:30], TIMED[30:]], id="split after two"),
        pytest.param([EARLY_HINTS[:30], EARLY_HINTS[30:] + TIMED[:-1], TIMED[-1:]], id="split within both"),
    ],
)
def test_server_timing_is_the_answers_own_and_not_that_of_an_interim_one(pieces):
    samples, opened = play(servers.says(*pieces), count=3)
    assert opened == 1
    np.testing.assert_allclose(samples.compute_s, 0.003)


@pytest.mark.parametrize("size", [10_000, 1_000_000])
def test_the_body_of_a_long_answer_is_not_kept(size):
    body = b"\r\n\r\nServer-Timing: compute;dur=9\r\n" * (size // 33)
    answers = []

    async def scenario():
        long = servers.says(servers.answer(body=body, headers=b"Server-Timing: compute;dur=3\r\n"))
        async with ScriptedServer.running(long, servers.ok) as (_, endpoint):
            load = OneByOne(endpoint, count=4)
            load.client._record = lambda row: answers.append(row[-1])
            load.start()
            await load.samples()

    uvloop.run(scenario())
    assert [len(answer) < 1024 for answer in answers] == [True] * 4
    np.testing.assert_allclose(parse_server_timing(answers).compute_s, 0.003)


def test_the_start_of_a_second_answer_is_an_answer_that_nobody_asked_for():
    one_and_a_bit = servers.says(servers.answer() + servers.answer()[:20])
    samples, opened = play(one_and_a_bit, count=2)
    assert samples.outcome.tolist() == [Outcome.BROKEN] * 2
    assert opened == 2


def test_times_are_in_order_and_each_request_is_scheduled_when_the_one_before_ended():
    samples, _ = play(servers.ok, servers.unavailable, servers.connection_close, count=6)
    assert (samples.scheduled_s <= samples.sent_s).all()
    assert (samples.sent_s <= samples.done_s).all()
    np.testing.assert_array_equal(samples.scheduled_s[1:], samples.done_s[:-1])


def test_a_request_that_is_given_up_has_an_outcome_and_its_connection_is_not_used_again():
    async def scenario():
        async with ScriptedServer.running(servers.never, servers.ok) as (server, endpoint):
            load = OneByOne(endpoint, count=2)
            load.start()
            await server.requests.get()
            load.client.give_up(Outcome.TIMEOUT, unsent=Outcome.UNSENT)
            samples = await load.samples()
            await server.all_connections_closed()
            return samples, server.connections

    samples, connections = uvloop.run(scenario())
    assert samples.outcome.tolist() == [Outcome.TIMEOUT, Outcome.OK]
    assert connections == 2


def test_a_request_that_is_given_up_while_its_connection_is_being_opened_was_not_sent():
    async def scenario():
        async with ScriptedServer.running(servers.ok) as (_, endpoint):
            load = OneByOne(endpoint, count=2)
            load.start()
            # the event loop has not turned: nothing is connected yet
            load.client.give_up(Outcome.TIMEOUT, unsent=Outcome.UNSENT)
            return await load.samples()

    samples = uvloop.run(scenario())
    assert samples.outcome.tolist() == [Outcome.UNSENT, Outcome.OK]
    assert np.isnan(samples.sent_s).tolist() == [True, False]


def test_a_request_begins_when_its_pause_is_over():
    async def scenario():
        async with ScriptedServer.running(servers.closes_at_once, servers.ok) as (_, endpoint):
            load = OneByOne(endpoint, count=2)
            load.start()
            assert load.client.began >= load.client.scheduled
            while load.client.began < math.inf:
                await turn()
            assert load.client.busy
            await load.samples()
            assert load.client.scheduled < load.client.began < math.inf

    uvloop.run(scenario())


@pytest.mark.parametrize(
    ("failures", "pause"),
    [(0, 0), (1, 0.01), (2, 0.02), (3, 0.04), (7, 0.64), (8, 1), (9, 1), (100_000, 1)],
)
def test_the_pause_before_connecting_again_doubles_up_to_a_second(failures, pause):
    assert backoff_s(failures) == pytest.approx(pause)


def test_a_server_that_refuses_connections_is_tried_ever_more_rarely(monkeypatch):
    pauses = []

    async def scenario():
        loop = asyncio.get_running_loop()

        def call_at_once(delay, callback):
            pauses.append(delay)
            return loop.call_soon(callback)

        monkeypatch.setattr(loop, "call_later", call_at_once)
        return await send(refusing_endpoint(), count=5)

    samples = asyncio.run(scenario())
    assert samples.outcome.tolist() == [Outcome.BROKEN] * 5
    assert np.isnan(samples.sent_s).all()
    assert pauses == pytest.approx([0.01, 0.02, 0.04, 0.08])


def test_an_answer_ends_the_pauses(monkeypatch):
    pauses = []

    async def scenario():
        loop = asyncio.get_running_loop()

        def call_at_once(delay, callback):
            pauses.append(delay)
            return loop.call_soon(callback)

        async with ScriptedServer.running(servers.closes_at_once, servers.ok) as (_, endpoint):
            monkeypatch.setattr(loop, "call_later", call_at_once)
            return await send(endpoint, count=6)

    samples = asyncio.run(scenario())
    assert samples.outcome.tolist() == [Outcome.BROKEN, Outcome.OK] * 3
    assert pauses == pytest.approx([0.01, 0.01, 0.01])


def test_a_client_closed_while_it_connects_leaves_no_socket_and_no_sample():
    async def scenario():
        async with ScriptedServer.running(servers.ok) as (server, endpoint):
            load = OneByOne(endpoint, count=1)
            load.start()
            load.client.close()
            other = await send(endpoint, count=1)
            await server.all_connections_closed()
            return load.recorder.samples(), other

    closed, other = uvloop.run(scenario())
    assert len(closed) == 0
    assert other.ok.all()
