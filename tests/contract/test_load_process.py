"""A load in a process of its own is a load like any other, and leaves no process behind."""

import time

import numpy as np
import psutil
import pytest
import uvloop

from orchestrator.load.endpoint import Payload, encode
from orchestrator.load.generator import Generator
from orchestrator.load.plan import OpenLoop
from orchestrator.load.process import ProcessPart
from tests.fakes import servers
from tests.fakes.event_loop import turn
from tests.fakes.servers import ScriptedServer, refusing_endpoint

ARRIVALS = np.arange(20) * 0.002


def children():
    return [child for child in psutil.Process().children() if "orchestrator.load.process" in child.cmdline()]


@pytest.fixture(params=[Generator, ProcessPart], ids=["a thread", "a process"])
def part(request):
    def make(endpoint, arrivals_s=ARRIVALS):
        return request.param(endpoint, [encode(endpoint, Payload(b"hi"))], OpenLoop(np.asarray(arrivals_s)), 5.0)

    yield make
    assert children() == []


def on_a_server(scenario):
    async def run():
        async with ScriptedServer.running(servers.ok) as (server, endpoint):
            return await scenario(server, endpoint)

    return uvloop.run(run())


def test_every_request_is_in_the_record_and_told_of_on_the_way(part):
    async def scenario(server, endpoint):
        one = part(endpoint)
        one.start(time.time() + 0.05)
        told = 0
        while told < len(ARRIVALS):
            told += len(one.progress())
            await turn()
        one.stop()
        return one.collect()

    record = on_a_server(scenario)
    np.testing.assert_allclose(np.sort(record.samples.scheduled_s), ARRIVALS, rtol=0, atol=1e-9)
    assert record.samples.ok.all()
    assert record.samples.compute_s == pytest.approx(0.003)
    assert record.ticks.cpu_s[-1] > 0


def test_after_an_abort_there_is_what_had_ended(part):
    async def scenario(server, endpoint):
        one = part(endpoint, [0.0, 3600.0])
        one.start(time.time())
        while not len(one.progress()):
            await turn()
        one.abort()
        return one.collect()

    assert len(on_a_server(scenario).samples) == 1


def test_an_error_of_the_generator_is_told():
    part = ProcessPart(refusing_endpoint(), [b"x"], OpenLoop(ARRIVALS), 5.0)
    with pytest.raises(AttributeError):
        part._ask("no such method")
    part.start(time.time())
    part.abort()
    part.collect()


def test_a_process_that_dies_is_told_and_can_be_aborted():
    part = ProcessPart(refusing_endpoint(), [b"x"], OpenLoop(ARRIVALS), 5.0)
    (child,) = children()
    child.kill()
    with pytest.raises(RuntimeError, match="ended unexpectedly"):
        part.start(time.time())
    part.abort()
    assert children() == []


def test_an_abort_in_the_middle_of_a_question_ends_the_process():
    part = ProcessPart(refusing_endpoint(), [b"x"], OpenLoop(ARRIVALS), 5.0)
    part._waiting = True  # as after Ctrl-C while an answer was awaited
    part.abort()
    assert children() == []
