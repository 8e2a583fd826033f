"""How many replicas fit on a node."""

import math

import pytest

from orchestrator.feasible import Need, Room, bounds, tightest

GIB = 1024
ROOM = Room(memory_mib=20 * GIB, used_mib=3 * GIB, cores=4, resources={"CPU": 4, "GPU": 1, "memory": 8 * 2**30})


def fit(need, room=ROOM, **others):
    return {bound.what: bound.most for bound in bounds("Model", {"Model": need, **others}, room)}


@pytest.mark.parametrize(
    ("need", "expected"),
    [
        pytest.param(
            Need(1, 4 * GIB, 0.5), {"memory": 4, "cores": 8}, id="95 % of 20 GiB, less 3, holds 4 GiB four times"
        ),
        pytest.param(Need(2, 4 * GIB, 0.5), {"memory": 4, "cores": 8}, id="however many were measured"),
        pytest.param(Need(1, 17 * GIB, 0.5), {"memory": 0, "cores": 8}, id="not even one fits"),
        pytest.param(Need(1, 16 * GIB, 1), {"memory": 1, "cores": 4}, id="exactly one fits"),
        pytest.param(Need(1, 1, 1.5), {"memory": 16384, "cores": 3}, id="the last may get two thirds"),
        pytest.param(Need(1, 1, 9), {"memory": 16384, "cores": 1}, id="one may use more cores than there are"),
        pytest.param(Need(1, 1, 0), {"memory": 16384, "cores": math.inf}, id="who only waits needs no core"),
        pytest.param(Need(1, 0, 0), {"memory": math.inf, "cores": math.inf}, id="and no memory"),
        pytest.param(
            Need(1, 1, 1, {"CPU": 0.5}), {"memory": 16384, "reserved CPU": 8, "cores": 4}, id="half a CPU each"
        ),
        pytest.param(
            Need(1, 1, 1, {"CPU": 0.1}), {"memory": 16384, "reserved CPU": 40, "cores": 4}, id="tenths add up"
        ),
        pytest.param(
            Need(1, 1, 1, {"CPU": 0, "GPU": 0.25}), {"memory": 16384, "reserved GPU": 4, "cores": 4}, id="0 is no limit"
        ),
        pytest.param(Need(1, 1, 1, {"TPU": 1}), {"memory": 16384, "reserved TPU": 0, "cores": 4}, id="none of it here"),
        pytest.param(
            Need(1, 1, 1, {"memory": 3 * 2**30}),
            {"memory": 16384, "reserved memory": 2, "cores": 4},
            id="reserved bytes",
        ),
    ],
)
def test_replicas_fit_as_long_as_nothing_runs_out(need, expected):
    assert fit(need) == expected


def test_the_other_deployments_of_an_application_keep_what_they_have():
    alone = fit(Need(1, 2 * GIB, 1, {"CPU": 1}))
    beside = fit(Need(1, 2 * GIB, 1, {"CPU": 1}), Reader=Need(2, 4 * GIB, 0.5, {"CPU": 0.5}))
    assert alone == {"memory": 8, "reserved CPU": 4, "cores": 4}
    assert beside == {"memory": 4, "reserved CPU": 3, "cores": 3}


def test_the_reason_has_the_figures():
    least = tightest(bounds("Model", {"Model": Need(1, 100, 0.3, {"CPU": 2})}, ROOM))
    assert least.most == 2
    assert (least.what, least.why) == ("reserved CPU", "Ray reserves 2 CPU for each, and the node has 4 CPU")
    memory, *_ = bounds("Model", {"Model": Need(1, 5 * GIB, 1)}, ROOM)
    assert memory.why == (
        "one takes 5,120 MiB, and 16,384 of the node's 20,480 MiB are left for them: Ray ends workers above 95%"
    )
