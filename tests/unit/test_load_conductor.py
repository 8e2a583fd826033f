import math
import threading

import numpy as np
import pytest

from orchestrator.load.conductor import ASK_EVERY_S, Limits, conduct
from orchestrator.load.record import ClientTicks, ClientUse, GeneratorRecord, busiest
from orchestrator.measure.samples import Outcome, Samples

LIMITS = Limits(warmup_max_s=5.0, max_s=10.0)


def samples(done_s):
    """Requests that took 10 ms each."""
    done = np.array(done_s, float)
    nothing = np.full(len(done), math.nan)
    return Samples(
        scheduled_s=done - 0.01,
        sent_s=done - 0.01,
        done_s=done,
        outcome=np.full(len(done), Outcome.OK, np.uint8),
        status=np.full(len(done), 200, np.int16),
        queue_s=nothing,
        batch_wait_s=nothing,
        compute_s=nothing,
        batch_size=nothing,
    )


class Clock:
    """Seconds that pass when somebody sleeps; the wall clock shows something else."""

    def __init__(self):
        self.now = 100.0
        self.sleeps = []

    def __call__(self):
        return self.now

    def wall(self):
        return self.now + 1e9

    def sleep(self, seconds):
        self.sleeps.append(seconds)
        self.now += seconds


class FakePart:
    """Ends a request every `every_s`; reports it `late_s` after that."""

    def __init__(self, clock, every_s=0.1, late_s=0.0, busy=0.5, fails=()):
        self._clock = clock
        self._every_s = every_s
        self._late_s = late_s
        self._busy = busy
        self._fails = fails
        self._reported = 0
        self._stopped_s = None
        self.calls = []

    def start(self, at):
        self._call("start")
        self.origin = at - 1e9

    def progress(self):
        self._call("progress")
        before, self._reported = self._reported, self._ended(self._clock.now - self._late_s)
        return samples(self._done(self._reported)[before:])

    def stop(self):
        self._call("stop")
        self._stopped_s = self._clock.now

    def collect(self):
        self._call("collect")
        at = np.array([0.0, 100.0])
        ended = self._ended(self._stopped_s)
        return GeneratorRecord(samples(self._done(ended)), ClientTicks(at, at * self._busy, at * 0.1, 3, 1))

    def abort(self):
        self._call("abort")

    def _call(self, name):
        self.calls.append(name)
        if name in self._fails:
            raise ZeroDivisionError(name)

    def _ended(self, now):
        return max(0, int((now - self.origin) / self._every_s))

    def _done(self, count):
        return np.arange(1, count + 1) * self._every_s


class FakeWatch:
    """Warm and satisfied at given times; remembers what it was asked."""

    def __init__(self, warm_s=1.0, enough_s=math.inf):
        self._warm_s = warm_s
        self._enough_s = enough_s
        self.asked = []
        self.windows = []

    def warm(self, samples, now):
        self.asked.append((now, samples.done_s.copy()))
        return now >= self._warm_s

    def enough(self, samples, window):
        self.asked.append((window[1], samples.done_s.copy()))
        self.windows.append(window)
        return window[1] >= self._enough_s


def run(watch, *, limits=LIMITS, clock=None, parts=None, stop=None, phases=None):
    clock = clock or Clock()
    parts = parts or [FakePart(clock)]
    phases = phases if phases is not None else []
    record = conduct(
        parts,
        watch,
        limits,
        stop=stop,
        on_phase=phases.append,
        clock=clock,
        wall_clock=clock.wall,
        sleep=clock.sleep,
    )
    return record, parts


def test_warm_up_measure_and_drain_follow_the_watch():
    watch, phases = FakeWatch(warm_s=1.0, enough_s=3.0), []
    record, parts = run(watch, phases=phases)
    assert record.window == pytest.approx((1.0, 3.0))
    assert phases == ["warm-up", "measure", "drain"]
    assert parts[0].calls == ["start", *["progress"] * 12, "stop", "collect"]
    assert {start for start, _ in watch.windows} == {record.window[0]}


def test_the_watch_is_asked_four_times_a_second_with_all_samples_so_far():
    watch = FakeWatch(warm_s=1.0, enough_s=3.0)
    run(watch)
    assert [now for now, _ in watch.asked] == pytest.approx(np.arange(1, 13) * ASK_EVERY_S)
    for now, done_s in watch.asked:
        np.testing.assert_allclose(done_s, np.arange(1, len(done_s) + 1) * 0.1)
        assert len(done_s) in (int(now / 0.1 + 1e-6), int(now / 0.1 - 1e-6))


@pytest.mark.parametrize(
    ("limits", "window"),
    [
        pytest.param(Limits(warmup_max_s=2.1, max_s=3.3), (2.1, 5.4), id="what was stated"),
        pytest.param(Limits(warmup_max_s=0.0, max_s=0.1), (0.0, 0.1), id="before the watch is asked at all"),
        pytest.param(Limits(warmup_max_s=2.0, max_s=9.0, ends_s=4.2), (2.0, 4.2), id="the last arrival"),
        pytest.param(Limits(warmup_max_s=5.0, max_s=9.0, ends_s=1.5), (1.5, 1.5), id="no arrivals after warm-up"),
    ],
)
def test_a_watch_that_is_never_satisfied_meets_the_limits(limits, window):
    record, _ = run(FakeWatch(warm_s=math.inf), limits=limits)
    assert record.window == pytest.approx(window)


def test_the_samples_of_all_parts_are_merged_in_order_of_completion():
    clock = Clock()
    parts = [FakePart(clock, every_s=0.07), FakePart(clock, every_s=0.05, late_s=0.6), FakePart(clock, every_s=0.11)]
    watch = FakeWatch(enough_s=4.0)
    record, _ = run(watch, clock=clock, parts=parts)
    for _, done_s in watch.asked:
        assert (np.diff(done_s) >= 0).all()
    stopped_s = 4.0
    expected = np.concatenate([np.arange(1, int(stopped_s / every + 1e-6) + 1) * every for every in (0.07, 0.05, 0.11)])
    np.testing.assert_allclose(record.samples.done_s, np.sort(expected))


def test_many_samples_are_kept():
    clock = Clock()
    watch = FakeWatch(warm_s=0, enough_s=1.0)
    run(watch, clock=clock, parts=[FakePart(clock, every_s=1e-5), FakePart(clock, every_s=2e-5)])
    now, done_s = watch.asked[-1]
    assert len(done_s) == pytest.approx(now * 150_000, abs=3)
    assert (np.diff(done_s) >= 0).all()


def test_the_use_of_the_client_is_that_of_the_busiest_part():
    clock = Clock()
    record, _ = run(FakeWatch(enough_s=2.0), clock=clock, parts=[FakePart(clock), FakePart(clock, busy=0.8)])
    assert record.client.cpu_share == pytest.approx(0.8)
    assert record.client.waiting_share == pytest.approx(0.1)
    assert record.client.connections == 6
    assert record.client.held_back == 2


@pytest.mark.parametrize(
    ("warm_s", "at", "window"), [(9.0, 2.0, (2.0, 2.0)), (1.0, 2.0, (1.0, 2.0))], ids=["in warm-up", "in the window"]
)
def test_a_stop_signal_ends_the_load_with_what_there_is(warm_s, at, window):
    clock, stop = Clock(), threading.Event()
    sleep = clock.sleep

    def sleep_and_signal(seconds):
        sleep(seconds)
        if clock.now >= 100.05 + at - 1e-6:
            stop.set()

    clock.sleep = sleep_and_signal
    record, parts = run(FakeWatch(warm_s=warm_s), clock=clock, stop=stop)
    assert record.window == pytest.approx(window)
    assert parts[0].calls[-3:] == ["abort", "stop", "collect"]
    assert len(record.samples) > 10


@pytest.mark.parametrize("fails", ["start", "progress", "stop", "collect"])
def test_an_error_in_a_part_ends_all_and_is_raised(fails):
    clock = Clock()
    parts = [FakePart(clock, fails=(fails, "abort")), FakePart(clock)]
    with pytest.raises(ZeroDivisionError, match=fails):
        run(FakeWatch(enough_s=2.0), clock=clock, parts=parts)
    assert [part.calls[-1] for part in parts] == ["abort", "abort"]


@pytest.mark.parametrize("error", [ZeroDivisionError, KeyboardInterrupt])
@pytest.mark.parametrize("method", ["warm", "enough"])
def test_an_error_in_the_watch_ends_all_and_is_raised(method, error):
    def fail(*args):
        raise error

    watch = FakeWatch()
    setattr(watch, method, fail)
    clock = Clock()
    parts = [FakePart(clock), FakePart(clock)]
    with pytest.raises(error):
        run(watch, clock=clock, parts=parts)
    assert [part.calls[-1] for part in parts] == ["abort", "abort"]


TICKS = ClientTicks(
    at_s=np.array([0.0, 1.0, 2.0, 4.0]),
    cpu_s=np.array([5.0, 5.5, 6.5, 7.0]),
    waiting_s=np.array([0.0, 0.0, 0.2, 0.2]),
)


@pytest.mark.parametrize(
    ("window", "cpu_share", "waiting_share"),
    [((0, 4), 0.5, 0.05), ((1, 2), 1.0, 0.2), ((1.5, 3), 0.75 / 1.5, 0.1 / 1.5), ((2, 2), math.nan, math.nan)],
)
def test_what_a_client_used_of_a_window(window, cpu_share, waiting_share):
    use = TICKS.use(window)
    assert use.cpu_share == pytest.approx(cpu_share, nan_ok=True)
    assert use.waiting_share == pytest.approx(waiting_share, nan_ok=True)


def test_the_busiest_of_several_clients_is_unknown_if_one_is():
    uses = [ClientUse(0.5, math.nan, 10, 0), ClientUse(0.2, 0.1, 5, 3)]
    use = busiest(uses)
    assert (use.cpu_share, use.connections, use.held_back) == (0.5, 15, 3)
    assert math.isnan(use.waiting_share)


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"warmup_max_s": -1.0}, id="negative warm-up"),
        pytest.param({"warmup_max_s": math.nan}, id="warm-up is no number"),
        pytest.param({"warmup_max_s": math.inf}, id="endless warm-up"),
        pytest.param({"max_s": 0.0}, id="empty window"),
        pytest.param({"max_s": math.inf}, id="endless window"),
        pytest.param({"ends_s": -1.0}, id="over before it began"),
    ],
)
def test_limits_that_cannot_hold_are_refused(changes):
    with pytest.raises(ValueError, match=next(iter(changes))):
        Limits(**{"warmup_max_s": 1.0, "max_s": 1.0, **changes})
