import asyncio
import math
import time

import pytest
import uvloop

from orchestrator.load.timer import DescriptorTimer, LoopTimer, precise_timer
from tests.fakes.event_loop import turn

TIMERS = [
    pytest.param(precise_timer, id="the best here"),
    pytest.param(LoopTimer, id="portable"),
]


def play(make, scenario):
    """The moments at which the timer has called back while `scenario(timer, called)` ran."""
    calls = []

    async def run():
        called = asyncio.Event()

        def on_time():
            calls.append(time.perf_counter())
            called.set()

        timer = make(asyncio.get_running_loop(), on_time)
        try:
            await scenario(timer, called)
            for _ in range(20):  # turns of the event loop, in which it could call back again
                await turn()
        finally:
            timer.close()

    uvloop.run(run())
    return calls


@pytest.mark.parametrize("make", TIMERS)
def test_it_calls_back_once_and_never_early(make):
    due = []

    async def scenario(timer, called):
        due.append(time.perf_counter() + 0.0123)
        timer.set(due[0])
        await called.wait()

    (at,) = play(make, scenario)
    assert at >= due[0]


@pytest.mark.parametrize("make", TIMERS)
@pytest.mark.parametrize("moment", [lambda: time.perf_counter() - 5, lambda: 0.0], ids=["passed", "zero"])
def test_a_moment_that_has_passed_is_now(make, moment):
    async def scenario(timer, called):
        timer.set(moment())
        await called.wait()

    assert len(play(make, scenario)) == 1


@pytest.mark.parametrize("make", TIMERS)
def test_infinity_is_never(make):
    async def scenario(timer, called):
        timer.set(time.perf_counter())
        timer.set(math.inf)

    assert not play(make, scenario)


@pytest.mark.parametrize("make", TIMERS)
def test_the_last_moment_set_counts(make):
    async def scenario(timer, called):
        timer.set(time.perf_counter() + 3600)
        timer.set(time.perf_counter())
        await called.wait()

    assert len(play(make, scenario)) == 1


@pytest.mark.parametrize("make", TIMERS)
def test_it_can_be_set_from_its_own_call(make):
    calls = []

    async def run():
        loop = asyncio.get_running_loop()
        finished = asyncio.Event()

        def on_time():
            calls.append(time.perf_counter())
            if len(calls) == 3:
                finished.set()
            else:
                timer.set(calls[-1] + 0.001)

        timer = make(loop, on_time)
        timer.set(time.perf_counter())
        await finished.wait()
        timer.close()

    uvloop.run(run())
    assert calls[2] - calls[0] >= 0.002


@pytest.mark.parametrize("make", TIMERS)
def test_a_closed_timer_is_silent(make):
    async def scenario(timer, called):
        timer.set(time.perf_counter())
        timer.close()
        timer.set(time.perf_counter())

    assert not play(make, scenario)


def test_a_timer_by_another_clock_is_not_used(monkeypatch):
    monkeypatch.setattr("sys.platform", "another")

    async def scenario():
        return precise_timer(asyncio.get_running_loop(), lambda: None)

    assert not isinstance(asyncio.run(scenario()), DescriptorTimer)
