"""The course of a probe, on a place that answers by heart, and what follows for the knobs."""

from dataclasses import dataclass, field

import pytest

from orchestrator.feasible import Need, Room, Step, probe


@dataclass
class FakeSite:
    """Every replica of `model` takes 1,000 MiB and a core; more clients than `holds` break it."""

    holds: int = 100
    replicas: int = 1
    others: dict = field(default_factory=dict)
    asked: list = field(default_factory=list)

    def room(self):
        self.asked.append("room")
        return Room(10_000, 500, 4, {"CPU": 6})

    def deploy(self):
        self.asked.append("deploy")
        return 2.5

    def load(self, clients):
        self.asked.append(clients)
        return Step(clients, min(clients, 4), "" if clients <= self.holds else "it broke")

    def needs(self):
        self.asked.append("needs")
        return {"Model": Need(self.replicas, 1000, 1.0, {"CPU": 1}), **self.others}


def probed(site, wanted=8):
    told = []
    return probe(site, wanted, told.append, told.append), told


def test_the_room_is_looked_at_before_and_the_needs_after_the_loads():
    site = FakeSite()
    found, told = probed(site)
    assert site.asked == ["room", "deploy", 1, 2, 4, 8, "needs"]
    assert told == [2.5, *found.steps]


def test_steps_are_told_in_the_order_of_their_clients():
    found, _ = probed(FakeSite(holds=5))
    assert [step.clients for step in found.steps] == [1, 2, 4, 5, 6, 8]


def test_replicas_are_capped_by_what_is_scarcest_with_the_reason():
    cap = probed(FakeSite())[0].caps()["Model.num_replicas"]
    assert cap.most == 4
    assert cap.why.startswith("4 fit by cores: one used 1 cores at its busiest")


@pytest.mark.parametrize(
    ("site", "most"),
    [
        pytest.param(FakeSite(holds=5), 5, id="what one replica sustains"),
        pytest.param(FakeSite(holds=5, replicas=2), 3, id="two share the clients"),
        pytest.param(FakeSite(), None, id="nothing broke"),
        pytest.param(FakeSite(holds=0), None, id="nothing held"),
        pytest.param(FakeSite(holds=5, others={"Reader": Need(1, 1, 0.1)}), None, id="one deployment calls another"),
    ],
)
def test_what_may_wait_at_a_replica_is_capped_where_that_is_known(site, most):
    caps = probed(site)[0].caps()
    for option in ("Model.max_ongoing_requests", "Model.max_queued_requests"):
        assert (caps[option].most if option in caps else None) == most
