"""An experiment with several workloads: who is compared, and what that says."""

from __future__ import annotations

import io
import json
from dataclasses import replace

import pytest
from rich.console import Console

from orchestrator.cli.several import print_several
from orchestrator.document import several_document
from orchestrator.result import BASELINE, Ratio, Score, Status, StudyResult, TrialResult
from orchestrator.several import Searched, Several, contenders, has_measured
from tests.fakes.trials import observation, samples

MEASURED = observation(samples(100, 3.0), (1.0, 3.0)).measurement


def trial(number, batch, value, violation=0.0, half=1.0):
    return TrialResult(
        number,
        {"batch": batch},
        Status.COMPLETE,
        measurement=replace(MEASURED, throughput_rps=value),
        score=Score(value, violation, half_widths=(half,)),
        serve_config={"applications": []},
    )


def study(*trials):
    return StudyResult("1", "x", "random", 0, True, "throughput_rps", trials=tuple(trials))


FEW = Searched(study(trial(0, 1, 100), trial(1, 2, 120), trial(2, 4, 90), trial(3, 8, 130)), random_trials=2)
MANY = Searched(study(trial(0, 1, 100), trial(1, 2, 300), trial(2, 4, 250), trial(3, 64, 900)), random_trials=2)


def several(few, many):
    """`few` and `many`: the figures of the contenders, None over the SLO."""
    listed = contenders([FEW, MANY])
    assert [one["batch"] for one in listed] == [1, 8, 2, 64]

    def compared(values):
        pairs = enumerate(zip(listed, values, strict=True))
        return study(*(trial(n, one["batch"], value or 1, 0.0 if value else 0.5) for n, (one, value) in pairs))

    return Several({"few": FEW, "many": MANY}, listed, {"few": compared(few), "many": compared(many)})


def test_the_baseline_and_what_each_study_found_are_compared_each_once():
    assert [one["batch"] for one in contenders([FEW])] == [1, 8, 2]
    assert [one["batch"] for one in contenders([FEW, FEW, MANY])] == [1, 8, 2, 64]


def test_a_comparison_is_of_the_same_configurations_in_the_same_order():
    listed = contenders([FEW, MANY])
    before = several([1, 2, 3, 4], [1, 2, 3, 4]).compared["few"]
    assert has_measured(before, listed)
    assert not has_measured(before, listed[:3])
    assert not has_measured(before, listed[::-1])


def test_a_comparison_with_a_measurement_that_cannot_be_trusted_is_to_be_made_again():
    found = several([1, 2, 3, 4], [1, 2, 3, 4])
    assert found.trusted
    before = found.compared["few"]
    late = replace(before.trials[0], status=Status.INVALID, reasons=("the client was late",))
    lost = replace(before, trials=(late, *before.trials[1:]))
    assert not has_measured(lost, found.contenders)
    assert not replace(found, compared={**found.compared, "few": lost}).trusted


@pytest.mark.parametrize(
    ("random_trials", "best"),
    [(0, None), (1, {"batch": 2}), (2, {"batch": 2}), (3, None)],
    ids=["none was", "one", "two", "all were"],
)
def test_the_best_at_random_is_that_of_the_trials_that_no_model_chose(random_trials, best):
    assert replace(FEW, random_trials=random_trials).best_of_random == best


def test_the_recommended_compromise_loses_least_on_average():
    found = several([100, 130, 120, 125], [100, 300, 320, 900])
    assert found.contenders[found.robust.configuration] == {"batch": 64}
    assert found.robust.mean_regret == pytest.approx((5 / 130 + 0) / 2)
    assert found.robust.worst_regret == pytest.approx(5 / 130)


def test_what_could_not_be_trusted_counts_as_not_measured():
    found = several([100, 130, 120, 125], [100, 300, 320, 900])
    (first, *others) = found.compared["few"].trials
    lost = replace(others[2], status=Status.INVALID, reasons=("other processes took the machine",))
    with_lost = replace(found.compared["few"], trials=(first, *others[:2], lost))
    found = replace(found, compared={**found.compared, "few": with_lost})
    assert found.contenders[found.robust.configuration] == {"batch": 8}
    assert found.gain("many", MANY.best_of_random) is not None
    assert found.gain("few", found.contenders[3]) is None


def test_a_workload_whose_measurements_cannot_be_trusted_is_named():
    found = several([100, 130, 120, 125], [100, 300, 320, 900])
    lost = study(*(replace(t, status=Status.INVALID, reasons=("starved",)) for t in found.compared["few"].trials))
    found = replace(found, compared={**found.compared, "few": lost})
    assert (found.robust, found.obstacle) == (None, "no measurement under few can be trusted")
    assert (found.missing("few", 3), found.missing("many", 3)) == ("not measured", "over SLO")


def test_where_no_study_found_anything_there_is_nothing_to_compare():
    console = Console(width=140, record=True, file=io.StringIO())
    print_several(console, Several({"few": FEW}, ({"batch": 1},), {}))
    assert "Nothing to compare" in console.export_text()


def test_what_breaks_the_slo_under_one_workload_is_no_compromise():
    found = several([100, 130, 120, None], [100, 300, 320, 900])
    assert found.contenders[found.robust.configuration] == {"batch": 8}
    assert several([None, 130, 120, None], [100, None, None, 900]).robust is None
    assert several([None] * 4, [1] * 4).standings == []


def test_the_gain_of_each_workload_is_over_the_baseline_and_over_the_best_at_random():
    found = several([100, 130, 120, 125], [100, 300, 320, 900])
    over_baseline, over_random = found.gain("many", found.baseline), found.gain("many", MANY.best_of_random)
    assert (over_baseline.value, over_random.value) == (pytest.approx(9), pytest.approx(900 / 320))
    assert over_baseline.lo < 9 < over_baseline.hi < 9.2
    assert found.gain("few", found.baseline).value == pytest.approx(1.3)
    assert found.gain("few", None) is None


def test_a_configuration_is_exactly_as_good_as_itself():
    found = several([100, 130, 120, 125], [100, 300, 320, 900])
    assert found.gain("few", {"batch": 8}) == Ratio(1.0, 1.0, 1.0, 0.95)


def test_the_document_is_strict_json_with_a_study_for_each_workload():
    found = several([100, 130, 120, None], [100, 300, 320, 900])
    document = json.loads(json.dumps(several_document(found), allow_nan=False))
    assert set(document["workloads"]) == set(document["compared"]) == {"few", "many"}
    assert document["contenders"][BASELINE] == {"batch": 1}
    assert document["robust"]["contender"] == 1
    assert document["gain"]["many"]["over_random"]["value"] == pytest.approx(2.8125)
    over = next(one for one in document["standings"] if one["contender"] == 3)
    assert (over["regret_mean"], over["regret"]["few"]) == (None, None)


@pytest.mark.parametrize(
    ("few", "words"),
    [
        ([100, 130, 120, 125], "few [1] ×1.30 (1.28–1.32) ×1.08 (1.07–1.10)"),
        ([100, 130, 120, 125], "[3] batch=64 3.8% 0.0% 1.9% 3.8% 2 of 2"),
        ([100, 130, 120, 125], "For all workloads: [3] batch=64 1.9% worse than the best of each workload on average"),
        ([100, 130, 120, None], "[3] batch=64 over SLO 0.0% – – 1 of 2"),
        ([None] * 4, "Nothing is recommended for all workloads: no configuration keeps the SLO under every workload."),
    ],
)
def test_the_terminal_shows_gains_standings_and_the_compromise(few, words):
    console = Console(width=140, record=True, file=io.StringIO())
    print_several(console, several(few, [100, 300, 320, 900]))
    assert words in " ".join(console.export_text().split())


def test_where_there_is_no_room_the_configurations_stand_below_their_numbers():
    console = Console(width=40, record=True, file=io.StringIO())
    print_several(console, several([100, 130, 120, 125], [100, 300, 320, 900]))
    lines = console.export_text().splitlines()
    assert "[3]  batch=64" in lines
    (row,) = [line for line in lines if line.startswith("[3] ") and "2 of 2" in line]
    assert "batch" not in row
