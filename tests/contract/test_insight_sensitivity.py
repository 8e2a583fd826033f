"""Which knobs mattered: known surfaces, and what is said where nothing can be said."""

import numpy as np
import pytest

from orchestrator.insight.sensitivity import Sensitivity, sensitivity
from orchestrator.result import Status
from tests.fakes.studies import space, study, trial

SPLITS = 4
PLANE = space(strong={"uniform": [0, 1]}, weak={"uniform": [0, 1]}, idle={"uniform": [0, 1]})
BRANCHED = space(mode={"condition": {"off": {}, "on": {"batch": {"uniform": [0, 1]}, "idle": {"uniform": [0, 1]}}}})


def drawn(knobs, figure, count, seed=0):
    rng = np.random.default_rng(seed)
    configurations = [knobs.sample(rng) for _ in range(count)]
    return study(trial(number, one, figure(one, rng)) for number, one in enumerate(configurations, start=1))


def plane(one, rng):
    return 1000 * np.exp(2 * one["strong"] + 0.4 * one["weak"])


@pytest.fixture(scope="module")
def of_plane():
    return sensitivity(drawn(PLANE, plane, 30), PLANE, SPLITS)


def test_the_knob_with_the_greatest_effect_comes_first_and_one_without_effect_is_not_shown_to_matter(of_plane):
    by_name = {one.column.name: one for one in of_plane.importances}
    assert of_plane.importances[0].column.name == "strong"
    assert by_name["strong"].share > 0.5
    assert by_name["strong"].shown
    assert not by_name["idle"].shown
    assert abs(by_name["idle"].share) < 0.05


def test_shares_have_a_spread_around_them(of_plane):
    assert all(one.spread.lo <= one.share <= one.spread.hi for one in of_plane.importances)
    assert of_plane.importances[0].spread.lo < of_plane.importances[0].spread.hi


def test_what_is_found_is_said_with_the_number_of_trials(of_plane):
    assert not of_plane.doubt
    assert of_plane.explained > 0.5
    share = f"{of_plane.importances[0].share:.0%}"
    assert of_plane.sentence.startswith(f"strong has a part in {share} of what 30 trials differ by")
    assert of_plane.sentence.endswith("Not shown to matter: weak and idle.")


def test_where_no_knob_is_shown_to_matter_that_is_said(of_plane):
    idle = [one for one in of_plane.importances if not one.shown]
    assert Sensitivity(tuple(idle), 30).sentence == "No knob is shown to matter by 30 trials."


def test_a_condition_that_matters_is_not_mistaken_for_the_knobs_in_its_branch():
    def figure(one, rng):
        return 1000.0 if one["mode"] == "on" else 100.0

    found = sensitivity(drawn(BRANCHED, figure, 24), BRANCHED, SPLITS)
    shares = {one.column.name: one.share for one in found.importances}
    assert shares["mode"] > 0.5
    assert abs(shares["batch"]) < 0.05


def test_noise_is_not_read_as_an_effect():
    found = sensitivity(drawn(PLANE, lambda one, rng: np.exp(rng.normal()), 20), PLANE, SPLITS)
    assert "too few, or too noisy" in found.doubt
    assert found.sentence.startswith("Which knobs mattered cannot be told: 20 trials")


def test_the_same_study_gives_the_same_answer():
    one = drawn(PLANE, plane, 12)
    assert sensitivity(one, PLANE, 1) == sensitivity(one, PLANE, 1)


def fixed(count, **changes):
    return [trial(number, {"a": 0.5 + number / 100, "b": 1}, 10.0 + number, **changes) for number in range(count)]


@pytest.mark.parametrize(
    ("trials", "counted", "doubt"),
    [
        pytest.param([], 0, "it takes 10 measured trials, and there are 0", id="none"),
        pytest.param(fixed(9), 9, "there are 9", id="one-too-few"),
        pytest.param(fixed(20, status=Status.INVALID), 0, "there are 0", id="none-to-be-trusted"),
        pytest.param(fixed(20, status=Status.FAILED), 0, "there are 0", id="none-measured"),
        pytest.param([trial(n, {"a": n / 20, "b": 1}, 0.0) for n in range(20)], 0, "there are 0", id="no-logarithm"),
        pytest.param([trial(n, {"a": n / 20, "b": 1}, 7.0) for n in range(12)], 12, "do not differ", id="all-the-same"),
        pytest.param(
            [trial(n, {"a": 0.5, "b": 1}, 7.0 + n) for n in range(12)], 12, "do not differ", id="no-knob-changed"
        ),
    ],
)
def test_where_nothing_can_be_told_the_reason_is(trials, counted, doubt):
    found = sensitivity(study(trials), space(a={"uniform": [0, 1]}, b={"randint": [1, 2]}))
    assert found.trials == counted
    assert doubt in found.doubt
    assert not any(one.shown for one in found.importances)


def test_a_knob_that_never_changed_is_left_out():
    found = sensitivity(study(fixed(5)), space(a={"uniform": [0, 1]}, b={"randint": [1, 2]}))
    assert [one.column.name for one in found.importances] == ["a"]
