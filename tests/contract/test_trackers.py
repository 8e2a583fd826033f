"""What every tracker does: the one in memory, MLflow on SQLite and MLflow behind a server."""

import itertools
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from orchestrator.confirmation import confirmed
from orchestrator.document import several_document, study_document
from orchestrator.errors import UsageError
from orchestrator.measure.interval import Interval
from orchestrator.measure.measurement import Measurement
from orchestrator.measure.samples import Samples
from orchestrator.measure.verdict import Verdict
from orchestrator.result import Objective, Score, Status, StudyResult, TrialResult
from orchestrator.several import Searched, Several
from orchestrator.tracking.mlflow_tracker import MlflowTracker, open_tracker
from orchestrator.tracking.port import Origin
from tests.fakes.tracker import MemoryTracker

NAN = float("nan")
MEASURED = replace(
    Measurement(101.5, 100.25, 8.1, 1.5, 7.9, 9.1, 9.9, 12.3, 40.0, 3.2, NAN, 2.0, 6.5, 0.001, 2040, 20.1),
    intervals={"throughput_rps": Interval(99.5, 103.5)},
)
SERVE = {"applications": [{"name": "slot-0", "import_path": "app:build", "args": {"model": "digits"}}]}
EXPORT = {"applications": [{"name": "digits", "import_path": "app:build"}]}
KNOBS = {
    "C.user_config.max_batch_size": 8,
    "C.user_config.wait_s": 0.0021,
    "args.precision": "fp16",
    "args.x": None,
}


def samples(rows):
    times = np.linspace(0.0, 1.0, rows)
    server = np.full(rows, NAN)
    outcome, status = np.zeros(rows, np.uint8), np.full(rows, 200, np.int16)
    return Samples(times, times + 0.001, times + 0.01, outcome, status, server, server, server, server)


def complete(number, throughput=101.5, violation=0.0):
    measurement = replace(MEASURED, throughput_rps=throughput, items_per_s=throughput)
    return TrialResult(
        number=number,
        configuration=KNOBS,
        status=Status.COMPLETE,
        measurement=measurement,
        score=Score(throughput, violation),
        wall_s=25.5,
        overhead_s=2.25,
        serve_config=SERVE,
        export_config=EXPORT,
        samples=samples(50),
    )


ENDINGS = {
    "complete": complete(1),
    "complete-outside-the-slo": complete(1, violation=0.4),
    "infeasible": TrialResult(1, KNOBS, Status.INFEASIBLE, ("no node has 64 CPUs", "needs 64, has 2")),
    "invalid-but-measured": TrialResult(
        number=1,
        configuration={},
        status=Status.INVALID,
        reasons=("the client fell behind",),
        measurement=MEASURED,
        score=Score(1.0, 0.0, shown=False),
        verdicts={"latency_p99_ms": Verdict.PASS, "error_ratio": Verdict.UNDECIDED},
        details={"compute_share": 0.4},
        batches={1: 3.0, 8: 250.5},
        explanation="the model is the limit: 40 % of the time",
        wall_s=3.0,
        overhead_s=1.0,
    ),
    "failed-in-deployment": TrialResult(1, KNOBS, Status.FAILED, ("ValueError: no such model",), wall_s=1.5),
    "failed-under-load": TrialResult(1, KNOBS, Status.FAILED, ("no request succeeded",), MEASURED),
    "all-values-awkward": TrialResult(
        number=1,
        configuration={
            "a.long": "x" * 20_000,
            "a.list": [1, {"b": None}],
            "a.true": True,
            "a#odd[0] name": "ü\n",
        },
        status=Status.FAILED,
        reasons=("y" * 20_000, "line\nbreak"),
        measurement=replace(MEASURED, requests=0, throughput_rps=1e308),
    ),
}


@pytest.fixture(scope="module")
def sqlite_tracker(tmp_path_factory):
    return open_tracker(None, tmp_path_factory.mktemp("sqlite"))


@pytest.fixture(scope="module")
def server_uri(tmp_path_factory):
    """A tracking server of its own, whose artifacts go through it; its workers end with it."""
    root = tmp_path_factory.mktemp("server")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = ["--host", "127.0.0.1", "--port", str(port), "--workers", "1", "--serve-artifacts"]
    store = [
        "--backend-store-uri",
        f"sqlite:///{root}/mlflow.db",
        "--artifacts-destination",
        str(root / "artifacts"),
    ]
    server = subprocess.Popen(
        [sys.executable, "-m", "mlflow", "server", *options, *store],
        env={**os.environ, "MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    uri = f"http://127.0.0.1:{port}"
    try:
        wait_until_healthy(uri, server)
        yield uri
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        try:
            server.wait(timeout=10)
        finally:
            if server.poll() is None:
                os.killpg(server.pid, signal.SIGKILL)


def wait_until_healthy(uri, server):
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    for _ in range(600):
        try:
            direct.open(f"{uri}/health", timeout=5).close()
            return
        except OSError:
            assert server.poll() is None, "the MLflow server ended before it was ready"
            time.sleep(0.1)  # a real process starts: there is no clock to fake
    raise AssertionError("the MLflow server was not ready within a minute")


@pytest.fixture(scope="module")
def server_tracker(server_uri, tmp_path_factory):
    return open_tracker(server_uri, tmp_path_factory.mktemp("unused"))


@pytest.fixture(scope="module")
def clock():
    """Seconds since the epoch, one more at every look."""
    ticks = itertools.count(1_800_000_000)
    return lambda: float(next(ticks))


@pytest.fixture(params=["memory", "sqlite", "server"])
def tracker(request, clock):
    """A new tracker; those over MLflow share one store a module, as a new one takes seconds to make."""
    if request.param == "memory":
        return MemoryTracker(clock)
    opened = request.getfixturevalue(f"{request.param}_tracker")
    return MlflowTracker(opened._client, opened.uri, opened._artifact_location, clock)


@pytest.fixture
def name(request):
    """An experiment name that no other test uses."""
    return "".join(letter if letter.isalnum() else "-" for letter in request.node.name)


def start(tracker, name, **changes):
    study = {
        "experiment_name": name,
        "origin": Origin(Path(f"/there/{name}.yaml"), f"name: {name}\n", {"trials": 7}),
        "algorithm": "hyperopt",
        "seed": 7,
        "objective": "throughput_rps",
        "maximize": True,
        "environment": {"host": "box", "git": {"commit": "1f3e", "dirty": False}, "data_plane": None},
    }
    return tracker.start_study(**{**study, **changes})


def run(tracker, trial):
    tracker.start_trial(trial.number, trial.configuration, trial.confirms)
    tracker.finish_trial(trial)


def replications(throughputs):
    """{trial: throughput of each of its replications} as results, numbered from 20 on."""
    cells = [(number, at, value) for number, row in throughputs.items() for at, value in enumerate(row)]
    return tuple(
        replace(complete(20 + index, value), confirms=number, replication=at)
        for index, (number, at, value) in enumerate(cells)
    )


def status_of(tracker, study_id):
    return next(study.status for study in tracker.studies() if study.study_id == study_id)


def same(left, right):
    """Equal but for NaN, which is not equal to itself."""
    return repr(left) == repr(right)


@pytest.mark.parametrize("ending", ENDINGS.values(), ids=ENDINGS.keys())
def test_a_trial_comes_back_as_it_ended_but_without_its_samples(tracker, name, ending):
    study_id = start(tracker, name)
    run(tracker, ending)
    assert same(tracker.load_study(study_id).trials, (replace(ending, samples=None),))


def test_a_study_comes_back_with_its_facts_and_its_trials_in_order_of_their_numbers(tracker, name):
    study_id = start(tracker, name, algorithm="random", seed=3, objective="latency_p99_ms", maximize=False)
    tracker.start_trial(0, KNOBS)
    tracker.start_trial(1, KNOBS)
    tracker.start_trial(2, KNOBS)
    for trial in (complete(2, 300.0), complete(0, 100.0), complete(1, 200.0)):
        tracker.finish_trial(trial)
    loaded = tracker.load_study(study_id)
    facts = (loaded.study_id, loaded.name, loaded.algorithm, loaded.seed, loaded.objective, loaded.maximize)
    assert facts == (study_id, name, "random", 3, "latency_p99_ms", False)
    assert [trial.number for trial in loaded.trials] == [0, 1, 2]
    assert loaded.best.number == 0


def test_a_study_comes_back_with_every_objective(tracker, name):
    further = (Objective("cost_per_million", False), Objective("goodput_rps", True))
    study_id = start(tracker, name, further=further)
    several = Score(100.0, 0.0, values=(100.0, 0.5, 99.0), half_widths=(2.0, 0.01, 3.0))
    run(tracker, replace(complete(0), score=several))
    loaded = tracker.load_study(study_id)
    assert loaded.objectives == (Objective("throughput_rps", True), *further)
    assert loaded.trials[0].score == several
    assert loaded.front == loaded.trials


def test_a_finished_study_says_the_same_when_it_is_loaded(tracker, name):
    study_id = start(tracker, name)
    trials = (complete(0, 100.0), complete(1, 250.0), replace(ENDINGS["infeasible"], number=2))
    for trial in trials:
        run(tracker, trial)
    study = StudyResult(study_id, name, "hyperopt", 7, True, "throughput_rps", trials)
    tracker.finish_study(study)
    assert study_document(tracker.load_study(study_id)) == study_document(study)
    assert status_of(tracker, study_id) == "FINISHED"


def test_a_confirmed_study_says_the_same_when_it_is_loaded_and_its_replications_are_no_trials(tracker, name):
    study_id = start(tracker, name)
    trials = (complete(0, 100.0), complete(1, 250.0))
    again = replications({1: (240.0, 243.0, 238.0), 0: (101.0, 102.0, 100.0)})
    for result in (*trials, *again):
        run(tracker, result)
    study = confirmed(StudyResult(study_id, name, "hyperopt", 7, True, "throughput_rps", trials, replications=again))
    tracker.finish_study(study)
    loaded = tracker.load_study(study_id)
    assert same(loaded.replications, tuple(replace(result, samples=None) for result in again))
    assert loaded.confirmation == study.confirmation
    assert loaded.confirmation.best == 1
    assert study_document(loaded) == study_document(study)


def test_a_study_for_all_values_of_a_knob_comes_back_as_one(tracker, name):
    origin = Origin(Path(f"/there/{name}.yaml"), "text", {}, across="args.precision")
    study_id = start(tracker, name, origin=origin)
    trials = (complete(0, 100.0), replace(complete(1, 250.0), configuration={**KNOBS, "args.precision": "int8"}))
    for trial in trials:
        run(tracker, trial)
    study = StudyResult(study_id, name, "hyperopt", 7, True, "throughput_rps", trials, across="args.precision")
    tracker.finish_study(study)
    loaded = tracker.load_study(study_id)
    assert tracker.origin(study_id) == origin
    assert loaded.compromise.values == ("fp16", "int8")
    assert loaded.compromise.robust.configuration == 0
    assert study_document(loaded) == study_document(study)


def test_a_study_that_ended_while_it_was_confirmed_keeps_the_replications_that_ended(tracker, name):
    study_id = start(tracker, name)
    first, second = replications({1: (100.0, 101.0)})
    for result in (complete(0), complete(1), first):
        run(tracker, result)
    tracker.start_trial(second.number, KNOBS, second.confirms)
    tracker.kill("interrupted")
    loaded = tracker.load_study(study_id)
    assert [(result.number, result.replication) for result in loaded.replications] == [(20, 0)]
    assert [result.number for result in loaded.trials] == [0, 1]
    assert loaded.confirmation is None


def test_a_study_says_what_it_was_started_from(tracker, name):
    origin = Origin(Path(f"/there/{name}.yaml"), f"name: {name} # größer\n", {"trials": 7, "budget": 90.0}, "1f3e")
    quick = replace(origin, quick=True)
    assert tracker.origin(start(tracker, name, origin=origin)) == origin
    assert tracker.origin(start(tracker, name, origin=quick)) == quick
    assert tracker.origin(start(tracker, name)).warm_start is None


def test_a_study_that_is_gone_on_with_has_more_trials_and_other_replications(tracker, name):
    study_id = start(tracker, name)
    before = (complete(0, 100.0), complete(1, 250.0))
    for result in (*before, *replications({1: (240.0,)})):
        run(tracker, result)
    tracker.finish_study(StudyResult(study_id, name, "hyperopt", 7, True, "throughput_rps", before))
    other = start(tracker, f"{name}-other")
    tracker.kill("not this one")
    tracker.resume_study(study_id)
    assert status_of(tracker, study_id) == "RUNNING"
    again = replications({2: (260.0,)})
    for result in (complete(2, 270.0), *again):
        run(tracker, result)
    tracker.kill("interrupted")
    loaded = tracker.load_study(study_id)
    assert [trial.number for trial in loaded.trials] == [0, 1, 2]
    assert [(result.confirms, result.number) for result in loaded.replications] == [(2, 20)]
    assert {status_of(tracker, study_id), status_of(tracker, other)} == {"KILLED"}
    assert tracker.load_study(other).trials == ()


def test_pages_can_be_kept_beside_a_study_that_has_ended(tracker, name):
    study_id = start(tracker, name)
    tracker.finish_study(StudyResult(study_id, name, "hyperopt", 7, True, "throughput_rps", ()))
    tracker.add_pages(study_id, {"figures.html": "<p>±</p>"}, "**no winner**")
    assert status_of(tracker, study_id) == "FINISHED"
    assert tracker.page(study_id, "figures.html") == "<p>±</p>"
    with pytest.raises(UsageError, match=r"other\.html is not among the artifacts"):
        tracker.page(study_id, "other.html")


def finished(tracker, name, workload, *trials):
    """A study of one workload that has ended."""
    origin = Origin(Path(f"/there/{name}.yaml"), f"name: {name}\n", {}, workload=workload)
    study_id = start(tracker, name, origin=origin)
    for trial in trials:
        run(tracker, trial)
    tracker.finish_study(StudyResult(study_id, f"{name}:{workload}", "hyperopt", 7, True, "throughput_rps", trials))
    return tracker.load_study(study_id)


def compared(tracker, name):
    """A comparison of two workloads, in which the second configuration is better under both."""
    best = {**KNOBS, "C.user_config.max_batch_size": 16}
    trials = (complete(0, 100.0), replace(complete(1, 250.0), configuration=best))
    workloads = ("few", "many")
    searched = {w: Searched(finished(tracker, name, w, *trials), random_trials=1) for w in workloads}
    again = {w: finished(tracker, name, f"{w}.compared", *trials) for w in workloads}
    return Several(searched, (KNOBS, best), again)


def test_a_comparison_of_workloads_is_read_back(tracker, name):
    several = compared(tracker, name)
    comparison_id = tracker.add_comparison(name, several, {"figures.html": "<p>±</p>"}, "**the second**")
    (listed,) = (one for one in tracker.comparisons() if one.name == name)
    assert (listed.comparison_id, listed.title) == (comparison_id, f"{name}.compared")
    assert listed.started > max(study.started for study in tracker.studies())
    assert tracker.load_comparison(comparison_id) == several
    assert tracker.page(comparison_id, "figures.html") == "<p>±</p>"
    assert several_document(tracker.load_comparison(comparison_id)) == several_document(several)


def test_a_comparison_is_no_study_and_leaves_those_that_it_names_as_they_were(tracker, name):
    several = compared(tracker, name)
    before = tracker.studies()
    comparison_id = tracker.add_comparison(name, several, {}, "")
    assert tracker.studies() == before
    assert tracker.load_study(f"{name}:few") == several.searched["few"].study
    with pytest.raises(UsageError, match="has a study for each workload, name one of them"):
        tracker.load_study(name)
    with pytest.raises(UsageError, match="no study"):
        tracker.load_study(comparison_id)


def test_comparisons_are_listed_the_latest_first(tracker, name):
    several = compared(tracker, name)
    ids = [tracker.add_comparison(name, several, {}, "") for _ in range(2)]
    assert [one.comparison_id for one in tracker.comparisons() if one.name == name] == ids[::-1]


def test_a_study_without_any_trial_can_be_finished(tracker, name):
    study_id = start(tracker, name)
    study = StudyResult(study_id, name, "hyperopt", 7, True, "throughput_rps", ())
    tracker.finish_study(study)
    assert tracker.load_study(study_id) == study


def test_a_trial_under_way_counts_but_is_not_loaded(tracker, name):
    study_id = start(tracker, name)
    run(tracker, complete(0))
    tracker.start_trial(1, KNOBS)
    assert [trial.number for trial in tracker.load_study(study_id).trials] == [0]


def test_a_trial_that_was_never_started_cannot_be_finished(tracker, name):
    start(tracker, name)
    with pytest.raises(KeyError):
        tracker.finish_trial(complete(4))


def test_a_killed_study_keeps_the_trials_that_ended(tracker, name):
    study_id = start(tracker, name)
    run(tracker, complete(0))
    tracker.start_trial(1, KNOBS)
    tracker.kill("interrupted")
    assert status_of(tracker, study_id) == "KILLED"
    assert [trial.number for trial in tracker.load_study(study_id).trials] == [0]


def test_killing_again_or_after_the_end_or_before_the_start_changes_nothing(tracker, name):
    tracker.kill("nothing is open")
    study_id = start(tracker, name)
    tracker.kill("interrupted")
    tracker.kill("interrupted")
    finished = start(tracker, name)
    tracker.finish_study(StudyResult(finished, name, "hyperopt", 7, True, "throughput_rps", ()))
    tracker.kill("too late")
    assert status_of(tracker, study_id) == "KILLED"
    assert status_of(tracker, finished) == "FINISHED"


def test_studies_are_listed_the_latest_first(tracker, name):
    ids = [start(tracker, name), start(tracker, f"{name}-other"), start(tracker, name)]
    run(tracker, complete(0))
    listed = tracker.studies()[:3]
    assert [study.study_id for study in listed] == ids[::-1]
    assert [study.name for study in listed] == [name, f"{name}-other", name]
    assert listed[0].started > listed[1].started > listed[2].started
    assert listed[0].started.tzinfo is not None


def test_a_study_is_found_by_id_by_the_beginning_of_it_and_by_name(tracker, name):
    first, second = start(tracker, name), start(tracker, name)
    others = [study.study_id for study in tracker.studies() if study.study_id != first]
    short = next(first[:n] for n in range(1, 33) if not any(other.startswith(first[:n]) for other in others))
    assert tracker.load_study(first).study_id == first
    assert tracker.load_study(short).study_id == first
    assert tracker.load_study(name).study_id == second
    assert tracker.load_study(None).study_id == second


def test_an_unknown_study_is_an_error_that_lists_those_there_are(tracker, name):
    study_id = start(tracker, name)
    with pytest.raises(UsageError, match="no study 'no-such-study'") as caught:
        tracker.load_study("no-such-study")
    assert study_id in str(caught.value)
    assert name in str(caught.value)
