"""The public JSON document of a study."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest

from orchestrator.document import (
    objective_document,
    objective_from_document,
    plain,
    study_document,
    to_json,
    trial_document,
    trial_from_document,
    trial_record,
)
from orchestrator.measure.interval import Interval
from orchestrator.measure.measurement import Measurement
from orchestrator.measure.verdict import Verdict
from orchestrator.result import Candidate, Confirmation, Objective, Ratio, Score, Status, StudyResult, TrialResult

NAN, INF = math.nan, math.inf
MEASURED = replace(
    Measurement(100.0, 90.0, 8.0, 1.0, 7.0, 9.0, 9.5, 12.0, 40.0, NAN, NAN, NAN, NAN, 0.0, 2000, 20.0),
    successes=2000,
    intervals={"throughput_rps": Interval(95.0, 105.0)},
)


def trial(number, throughput=100.0, p99=12.0, status=Status.COMPLETE):
    if status is not Status.COMPLETE:
        return TrialResult(number, {"A.num_replicas": 2}, status, ("no room",), wall_s=1.5, overhead_s=1.5)
    measurement = replace(MEASURED, throughput_rps=throughput, latency_p99_ms=p99)
    score = Score(throughput, 0.0)
    return TrialResult(
        number,
        {"A.num_replicas": 2},
        status,
        measurement=measurement,
        score=score,
        verdicts={"latency_p99_ms": Verdict.UNDECIDED},
        details={"compute_share": 0.25},
        batches={8: 12.5, 16: 100.0},
        sorted_ms=(4.5, 8.0, 40.0),
        explanation="the model is the limit",
        wall_s=25.0,
        overhead_s=3.0,
    )


def study(*trials):
    return StudyResult("1f3e", "digits", "hyperopt", 7, True, "throughput_rps", trials)


def strict(document):
    """What a strict reader makes of it."""
    return json.loads(json.dumps(document, allow_nan=False))


def test_a_study_has_these_keys_and_no_others():
    document = strict(study_document(study(trial(0), trial(1, 250.0, 6.0), trial(2, status=Status.INFEASIBLE))))
    assert set(document) == {
        *("study_id", "name", "algorithm", "seed", "inputs", "objectives"),
        *("trials", "baseline", "best", "front", "pruned", "gain", "across", "confirmation", "replications"),
    }
    assert (document["study_id"], document["name"]) == ("1f3e", "digits")
    assert (document["algorithm"], document["seed"]) == ("hyperopt", 7)
    assert [entry["number"] for entry in document["trials"]] == [0, 1, 2]
    assert document["baseline"] == document["trials"][0]
    assert document["best"] == document["trials"][1]
    not_confirmed = {"lo": None, "hi": None, "confidence": None}
    assert document["gain"] == {"throughput": {"value": 2.5, **not_confirmed}, "p99": {"value": 2.0, **not_confirmed}}
    assert (document["confirmation"], document["replications"]) == (None, [])
    assert document["objectives"] == [{"maximize": "throughput_rps"}]
    assert document["front"] == [1]


def test_with_several_objectives_the_front_has_the_numbers_of_the_trials_to_choose_from():
    trials = [
        replace(trial(number), score=Score(values[0], 0.0, values=values, half_widths=(1.0, NAN)))
        for number, values in enumerate([(100.0, 5.0), (300.0, 9.0), (200.0, 9.0), (50.0, 4.0)])
    ]
    document = strict(study_document(replace(study(*trials), further=(Objective("latency_p99_ms", False),))))
    assert document["objectives"] == [{"maximize": "throughput_rps"}, {"minimize": "latency_p99_ms"}]
    assert (document["best"]["number"], document["front"]) == (1, [0, 1, 3])


@pytest.mark.parametrize("objective", [Objective("throughput_rps", True), Objective("latency_p999_ms", False)], ids=str)
def test_an_objective_is_read_back(objective):
    assert objective_from_document(strict(objective_document(objective))) == objective


def test_a_confirmation_says_who_took_part_how_often_and_who_cannot_be_told_apart():
    candidates = (
        Candidate(7, 3, 3, True, 250.0, Interval(240.0, 260.0)),
        Candidate(0, 1, 0, False, 100.0, None, Ratio(0.4, 0.3, 0.5, 0.95)),
    )
    gain = {"throughput": Ratio(2.5, 2.4, 2.6, 0.99)}
    found = Confirmation(candidates, 3, 7, (7, 12), 12, "fewer replicas", gain, ("trial 3 has 2 of 3 replications",))
    replication = replace(trial(20), confirms=7, replication=1)
    document = strict(
        study_document(replace(study(trial(0), trial(7), trial(12)), confirmation=found, replications=(replication,)))
    )
    assert document["gain"] == {"throughput": {"value": 2.5, "lo": 2.4, "hi": 2.6, "confidence": 0.99}, "p99": None}
    assert document["best"]["number"] == 7
    assert [(one["number"], one["confirms"], one["replication"]) for one in document["replications"]] == [(20, 7, 1)]
    figures = document["confirmation"].pop("figures")
    assert document["confirmation"] == {
        "candidates": [7, 0],
        "replications": 3,
        "best": 7,
        "indistinguishable": [7, 12],
        "recommended": 12,
        "reason": "fewer replicas",
        "remarks": ["trial 3 has 2 of 3 replications"],
    }
    assert figures == [
        {
            "trial": 7,
            "replications": 3,
            "slo_kept": 3,
            "slo_shown": True,
            "value": 250.0,
            "lo": 240.0,
            "hi": 260.0,
            "of_best": None,
        },
        {
            **{"trial": 0, "replications": 1, "slo_kept": 0, "slo_shown": False},
            **{"value": 100.0, "lo": None, "hi": None},
            "of_best": {"value": 0.4, "lo": 0.3, "hi": 0.5, "confidence": 0.95},
        },
    ]


def test_a_measured_trial_has_its_figures_and_leaves_out_what_was_not_measured():
    document = strict(trial_document(trial(1)))
    assert set(document) == {
        *("number", "status", "reasons", "verdict", "slo", "explanation"),
        *("config", "metrics", "batches", "wall_s", "overhead_s"),
    }
    assert (document["verdict"], document["slo"]) == ("undecided", {"latency_p99_ms": "undecided"})
    assert document["explanation"] == "the model is the limit"
    assert (document["status"], document["reasons"]) == ("COMPLETE", [])
    assert document["config"] == {"A.num_replicas": 2}
    assert document["batches"] == {"8": 12.5, "16": 100.0}
    assert (document["wall_s"], document["overhead_s"]) == (25.0, 3.0)
    assert document["metrics"] == {**MEASURED.metrics(), "compute_share": 0.25, "overhead_s": 3.0}
    assert (document["metrics"]["throughput_rps_lo"], document["metrics"]["throughput_rps_hi"]) == (95.0, 105.0)
    assert "queue_ms_mean" not in document["metrics"]


def test_a_trial_without_a_measurement_has_reasons_and_its_overhead():
    document = strict(trial_document(trial(1, status=Status.INFEASIBLE)))
    assert (document["status"], document["reasons"]) == ("INFEASIBLE", ["no room"])
    assert (document["verdict"], document["slo"], document["explanation"]) == (None, {}, None)
    assert document["metrics"] == {"overhead_s": 1.5}


@pytest.mark.parametrize(
    ("trials", "baseline", "best"),
    [
        pytest.param((), None, None, id="no-trial-at-all"),
        pytest.param((trial(1),), None, 1, id="no-baseline"),
        pytest.param((trial(0, status=Status.FAILED),), 0, None, id="nothing-complete"),
    ],
)
def test_what_a_study_does_not_have_is_null(trials, baseline, best):
    document = strict(study_document(study(*trials)))
    number = {key: document[key] and document[key]["number"] for key in ("baseline", "best")}
    assert number == {"baseline": baseline, "best": best}
    assert document["gain"] == {"throughput": None, "p99": None}


def test_a_gain_that_is_not_a_number_is_null():
    document = strict(study_document(study(trial(0, throughput=0.0, p99=NAN), trial(1, 250.0))))
    assert document["gain"] == {"throughput": None, "p99": None}


def test_figures_that_json_has_no_word_for_are_left_out():
    odd = replace(trial(1), measurement=replace(MEASURED, latency_max_ms=INF), overhead_s=NAN)
    document = strict(trial_document(odd))
    assert "latency_max_ms" not in document["metrics"]
    assert document["overhead_s"] is None


@pytest.mark.parametrize(
    "original",
    [
        pytest.param(trial(1), id="complete"),
        pytest.param(trial(2, status=Status.FAILED), id="failed"),
        pytest.param(replace(trial(3), score=Score(NAN, INF, shown=False)), id="score-without-a-number"),
        pytest.param(
            replace(trial(6), score=Score(100.0, 0.0, values=(100.0, 12.0), half_widths=(2.5, NAN), excess=-0.25)),
            id="several-objectives",
        ),
        pytest.param(
            replace(trial(7), measurement=replace(MEASURED, percentiles={"latency_p999_ms": 39.0})),
            id="another-percentile",
        ),
        pytest.param(replace(trial(4), serve_config={"applications": [{"name": "a"}]}), id="with-config"),
        pytest.param(replace(trial(5), export_config={"applications": []}), id="with-export"),
        pytest.param(replace(trial(21), confirms=7, replication=0), id="replication"),
    ],
)
def test_a_trial_is_rebuilt_from_its_record(original):
    rebuilt = trial_from_document(strict(trial_record(original)))
    expected = replace(original, score=Score(NAN, NAN, shown=False)) if original.number == 3 else original
    assert repr(rebuilt) == repr(expected)  # by repr: NaN is not equal to itself
    assert original.score is None or rebuilt.score.feasible == original.score.feasible


def test_the_record_of_an_earlier_release_has_one_objective_and_no_row_of_response_times():
    record = trial_record(trial(1, 250.0))
    record["score"] = {"value": 250.0, "violation": 0.0}
    del record["sorted_ms"]
    found = trial_from_document(strict(record))
    score = found.score
    assert (score.value, score.values, score.shown, found.sorted_ms) == (250.0, (250.0,), True, ())
    assert math.isnan(score.half_widths[0])


def test_a_complete_trial_of_the_public_document_cannot_be_rebuilt_without_its_score():
    with pytest.raises(ValueError, match="COMPLETE"):
        trial_from_document(trial_document(trial(1)))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        pytest.param(np.int64(8), 8, id="numpy-int"),
        pytest.param(np.float32(0.5), 0.5, id="numpy-float"),
        pytest.param(np.bool_(True), True, id="numpy-bool"),
        pytest.param(np.str_("a"), "a", id="numpy-text"),
        pytest.param(np.array([[1, 2]]), [[1, 2]], id="array"),
        pytest.param((1, (2,)), [1, [2]], id="tuples"),
        pytest.param({1: {"a": None}}, {"1": {"a": None}}, id="mapping-with-number-keys"),
        pytest.param(Status.FAILED, "FAILED", id="enum"),
        pytest.param(Score, str(Score), id="anything-else-as-text"),
    ],
)
def test_any_value_becomes_a_plain_one(value, expected):
    assert plain(value) == expected
    assert type(plain(value)) is type(expected)


def test_only_json_gives_up_infinity():
    assert plain({"a": INF}) == {"a": INF}
    assert to_json({"a": [INF, NAN, np.float64("inf"), 1.5]}) == {"a": [None, None, None, 1.5]}
