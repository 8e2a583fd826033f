"""From the section `load` to what is sent: the kinds of traffic, and how many client processes they take."""

from __future__ import annotations

import numpy as np
import pytest

from orchestrator.backend.traffic import enough_clients, make_traffic, open_loop
from orchestrator.experiment.section import LARGEST_SEED
from orchestrator.experiment.traffic import Bursts, ClosedLoop, Load, MaxRate, Ramp, Steady, Trace
from orchestrator.load import arrivals, plan

POISSON = Steady(rate_rps=200)


def test_a_closed_loop_is_as_stated(tmp_path):
    load = Load(closed_loop=ClosedLoop(concurrency=7, think_time_s=0.5))
    assert make_traffic(load, 10.0, tmp_path) == plan.ClosedLoop(7, 0.5)


@pytest.mark.parametrize(
    ("stated", "expected"),
    [
        pytest.param(POISSON, arrivals.poisson(200, 10, 3), id="poisson"),
        pytest.param(Steady(rate_rps=200, arrivals="constant"), arrivals.constant(200, 10), id="constant"),
        pytest.param(
            Bursts(arrivals="bursts", rate_rps=200, on_s=0.5, off_s=0.25),
            arrivals.bursts(200, 10, 0.5, 0.25, 3),
            id="bursts",
        ),
        pytest.param(Ramp(arrivals="ramp", ramp=[[0, 10], [4, 100]]), arrivals.ramp([(0, 10), (4, 100)], 3), id="ramp"),
        pytest.param(Trace(arrivals="trace", trace="times.csv", speed=2), [0.0, 0.5, 1.5], id="trace"),
    ],
)
def test_an_open_loop_has_the_arrivals_of_its_kind_and_seed(tmp_path, stated, expected):
    (tmp_path / "times.csv").write_text("5\n6\n8\n")
    traffic = make_traffic(Load(open_loop=stated, seed=3, max_connections=17), 10.0, tmp_path)
    np.testing.assert_array_equal(traffic.arrivals_s, expected)
    assert traffic.max_connections == 17


def test_a_replication_has_arrivals_of_its_own_and_the_same_whenever_it_is_sent(tmp_path):
    load = Load(open_loop=POISSON, seed=LARGEST_SEED)
    again = [make_traffic(load.again(replication), 10.0, tmp_path).arrivals_s for replication in (0, 1, 0)]
    np.testing.assert_array_equal(again[0], again[2])
    first = make_traffic(load, 10.0, tmp_path).arrivals_s
    assert len({arrivals[0] for arrivals in (first, again[0], again[1])}) == 3
    assert load.again(0).open_loop == load.open_loop


@pytest.mark.parametrize("kind", arrivals.STEADY)
def test_an_open_loop_at_one_rate_is_the_same_as_that_of_an_experiment(tmp_path, kind):
    stated = Load(open_loop=Steady(rate_rps=50, arrivals=kind), seed=4, max_connections=9)
    one, other = open_loop(50, kind, 10.0, 4, 9), make_traffic(stated, 10.0, tmp_path)
    np.testing.assert_array_equal(one.arrivals_s, other.arrivals_s)
    assert one.max_connections == other.max_connections


def test_kinds_of_arrivals_without_one_rate_are_refused():
    with pytest.raises(ValueError, match="poisson or constant, not 'bursts'"):
        arrivals.steady("bursts", 100, 10, 0)


@pytest.mark.parametrize(
    ("load", "clients"),
    [
        pytest.param({"closed_loop": ClosedLoop(concurrency=1)}, 1, id="one client"),
        pytest.param({"closed_loop": ClosedLoop(concurrency=1000)}, 1, id="as many as one looks after"),
        pytest.param({"closed_loop": ClosedLoop(concurrency=1001)}, 2, id="one more"),
        pytest.param({"open_loop": Steady(rate_rps=0.5)}, 1, id="hardly a load"),
        pytest.param({"open_loop": Steady(rate_rps=10_000)}, 1, id="as much as one sends"),
        pytest.param({"open_loop": Steady(rate_rps=25_000, arrivals="constant")}, 3, id="more than two send"),
        pytest.param({"open_loop": Bursts(arrivals="bursts", rate_rps=25_000)}, 1, id="a rate that changes"),
        pytest.param({"max_rate": MaxRate(start_rps=25_000)}, 1, id="a rate that is looked for"),
    ],
)
def test_a_load_begins_with_as_many_client_processes_as_it_takes(load, clients):
    assert enough_clients(Load(**load)) == clients
