from threading import Event, Thread

from orchestrator.backend.phases import Phases


def test_phases_are_asked_for_while_the_study_lasts():
    with Phases(lambda: {3: ("measure", 1.5)}) as phases:
        assert phases() == {3: ("measure", 1.5)}


def test_nobody_is_asked_afterwards():
    asked = []
    with Phases(lambda: asked.append("too late") or {}) as phases:
        pass
    assert phases() == {}
    assert asked == []


def test_the_end_waits_for_a_call_that_is_under_way():
    under_way, answer, ended = Event(), Event(), []

    def ask():
        under_way.set()
        assert answer.wait(timeout=10)
        ended.append("the call")
        return {}

    def end():
        phases.__exit__(None, None, None)
        ended.append("the study")

    phases = Phases(ask)
    asking, ending = Thread(target=phases), Thread(target=end)
    asking.start()
    assert under_way.wait(timeout=10)
    ending.start()
    ending.join(timeout=0.05)
    assert ending.is_alive()
    answer.set()
    asking.join(timeout=10)
    ending.join(timeout=10)
    assert ended == ["the call", "the study"]
