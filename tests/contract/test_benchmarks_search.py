"""The search benchmarks: what a recording says, how it is replayed, and what is counted. Nothing is recorded here."""

import itertools
import math
from dataclasses import replace

import numpy as np
import pytest

from benchmarks.search.bystanders import NoTracker, Unwatched
from benchmarks.search.case import P99, cases, p99_limit_ms
from benchmarks.search.grid import grid
from benchmarks.search.record import FINALISTS, finalists, planned, recorded
from benchmarks.search.replay import summary
from benchmarks.search.replayed import ReplayBackend, Replayed
from benchmarks.search.scale import line_of
from benchmarks.search.simulated import Costs, SimulatedBackend, endless
from benchmarks.search.studies import Outcome, Strategy, run_on, searcher_of, studied
from benchmarks.search.surface import SEARCH_SPACES, SURFACES, Record, Surface, load_surface, save_surface
from benchmarks.search.synthetic import BATCH, REPLICAS, WAIT_S, synthetic
from benchmarks.search.time_to_answer import extrapolated, sampled
from benchmarks.search.truth import BLOCK, find_truth
from benchmarks.search.usual_protocol import Answer, average, best_of_answers, settled
from orchestrator.assignment import Assignment
from orchestrator.experiment import load_experiment
from orchestrator.knob import Choice, LogUniform, RandInt
from orchestrator.measure.interval import Interval
from orchestrator.measure.measurement import Measurement
from orchestrator.measure.verdict import Verdict
from orchestrator.objective import Slo
from orchestrator.plain import identity
from orchestrator.result import Score, Status, TrialResult
from orchestrator.space import Space
from orchestrator.study import run_study

LIGHT, STEADY = synthetic("light_model"), synthetic("steady_rate")
DIGITS = SEARCH_SPACES / "digits.yaml"
RECORDED = sorted(SURFACES.glob("*.json"))


@pytest.fixture(scope="module")
def light():
    """(the case without an SLO, that with one)."""
    return tuple(cases(LIGHT.surface(), LIGHT.experiment, smooth=False))


def true_values(surface):
    return {identity(point): surface.formula(point)[0] for point in grid(surface.experiment.space)}


def narrowed(whole, *paths):
    """The same with other values than the first for these knobs only."""
    knobs = {
        path: knob if path in paths else Choice(values=(knob.decode(0),))
        for path, knob in whole.experiment.space.knobs.items()
    }
    return replace(whole, experiment=whole.experiment.model_copy(update={"space": Space(knobs=knobs)}))


# Surfaces and their files


def test_a_surface_is_read_back_as_it_was_written(tmp_path):
    records = (
        Record({"a.b": 1, "a.mode": "inline"}, Status.COMPLETE, {"throughput_rps": 123.4, "requests": 77}),
        Record({"a.b": 2, "a.mode": None}, Status.FAILED, {"wall_s": 0.25}),
    )
    surface = Surface("x", records, ({"first": 0, "cpu": "some"},))
    save_surface(surface, tmp_path)
    assert load_surface(tmp_path / "x.json") == surface


def test_numbers_are_kept_with_four_digits_and_what_is_no_number_is_absent(tmp_path):
    record = Record({"a.b": 1}, Status.COMPLETE, {"one": 0.123456789, "two": math.nan, "three": 1234567.0})
    save_surface(Surface("x", (record,)), tmp_path)
    assert load_surface(tmp_path / "x.json").records[0].figures == {"one": 0.1235, "three": 1235000}


def test_a_surface_without_a_file_has_no_measurements(tmp_path):
    assert load_surface(tmp_path / "new.json") == Surface("new")


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
def test_a_recorded_surface_has_every_configuration_of_its_experiment_and_knows_its_noise(path):
    surface, experiment = load_surface(path), load_experiment(SEARCH_SPACES / f"{path.stem}.yaml")
    assert {*map(identity, grid(experiment.space))} == set(surface.configurations())
    assert len(surface.configurations()) >= 200
    assert surface.sessions
    assert path.stat().st_size < 200_000
    truth = find_truth(surface, experiment.space, [experiment.objective.metric, P99], smooth=False)
    assert (
        0 < truth.noise(experiment.objective.metric) < 2
    )  # more than 1 where a load overflows in one run and not in the next


@pytest.mark.parametrize("name", ["digits_capacity", "photos", "digits_latency"])
def test_the_experiments_that_are_recorded_have_grids_of_200_to_300_with_the_baseline_among_them(name):
    experiment = load_experiment(SEARCH_SPACES / f"{name}.yaml")
    points = list(grid(experiment.space))
    assert 200 <= len(points) <= 300
    assert len(points) == experiment.space.size()
    assert identity(experiment.baseline()) in set(map(identity, points))


def test_a_grid_has_the_ends_of_ranges_and_every_whole_number():
    space = Space(knobs={"a": RandInt(low=1, high=2), "b": LogUniform(low=1.0, high=100.0)})
    assert list(grid(space, 3)) == [
        {"a": a, "b": pytest.approx(b)} for a, b in itertools.product((1, 2), (1.0, 10.0, 100.0))
    ]
    with pytest.raises(ValueError, match="b has no end of values"):
        list(grid(space))


# The truth of a surface


def test_the_noise_between_repetitions_is_found():
    truth = find_truth(LIGHT.surface(noise=0.08), LIGHT.experiment.space, ["throughput_rps", P99], smooth=False)
    assert truth.noise("throughput_rps") == pytest.approx(0.08, rel=0.1)
    assert truth.noise(P99) == pytest.approx(0.08 * math.sqrt(5), rel=0.1)


def test_what_the_machine_was_like_in_a_block_of_time_is_nobodys_doing():
    surface = LIGHT.surface(noise=0.01)
    slower = {block: 0.7 if block % 2 else 1.0 for block in range(len(surface.records))}
    drifted = tuple(
        replace(r, figures={**r.figures, "throughput_rps": r.figures["throughput_rps"] * slower[place // BLOCK]})
        for place, r in enumerate(surface.records)
    )
    truth = find_truth(replace(surface, records=drifted), LIGHT.experiment.space, ["throughput_rps"], smooth=False)
    known = true_values(LIGHT)
    ratios = [truth.values[key]["throughput_rps"] / known[key] for key in known]
    assert np.std(np.log(ratios)) < 0.02, "drift of 30 % would make it 0.08 and more"
    assert truth.noise("throughput_rps") < 0.04


def test_smoothing_brings_a_noisy_surface_nearer_to_its_formula():
    part = narrowed(synthetic("two_stages"), BATCH, WAIT_S, REPLICAS)
    surface, known = part.surface(noise=0.08), true_values(part)

    def error(smooth):
        values = find_truth(surface, part.experiment.space, ["throughput_rps"], smooth).values
        return np.std([math.log(values[key]["throughput_rps"] / known[key]) for key in known])

    assert error(smooth=True) < 0.6 * error(smooth=False)


def test_a_surface_without_repetitions_has_no_truth():
    once = replace(LIGHT.surface(), records=LIGHT.surface().records[:210])
    with pytest.raises(ValueError, match="no configuration of the surface light_model was measured twice"):
        find_truth(once, LIGHT.experiment.space, ["throughput_rps"])


def test_a_configuration_that_did_not_run_has_no_truth_and_fails_again(light):
    surface = LIGHT.surface()
    broken = surface.records[0].configuration
    records = tuple(
        Record(r.configuration, Status.FAILED, {}) if r.configuration == broken else r for r in surface.records
    )
    surface = replace(surface, records=records)
    truth = find_truth(surface, LIGHT.experiment.space, ["throughput_rps", P99], smooth=False)
    trial = Replayed.of(surface, truth).trial(Assignment(1, broken), LIGHT.experiment, np.random.default_rng(0))
    assert identity(broken) not in truth.values
    assert trial.status is Status.FAILED
    (case, _) = cases(surface, LIGHT.experiment, smooth=False)
    assert case.size == 210
    assert case.regret(broken) == math.inf


# Cases


def test_regret_is_the_distance_from_the_best_and_infinite_beyond_the_slo(light):
    free, limited = light
    values = {key: true["throughput_rps"] for key, true in free.replayed.truth.values.items()}
    best = max(values, key=values.get)
    configurations = LIGHT.surface().configurations()
    assert free.regret(configurations[best]) == 0
    assert free.regret(LIGHT.experiment.baseline()) == pytest.approx(
        1 - values[identity(LIGHT.experiment.baseline())] / values[best]
    )
    limit = p99_limit_ms(limited.experiment)
    over = [key for key, true in free.replayed.truth.values.items() if true[P99] > limit]
    assert 0.5 <= len(over) / free.size <= 0.65, "the limit excludes more than half"
    assert all(limited.regret(configurations[key]) == math.inf for key in over)
    assert limited.regret(None) == math.inf


def test_a_surface_that_is_not_finished_is_no_case():
    surface = LIGHT.surface()
    half = replace(surface, records=surface.records[:100])
    with pytest.raises(ValueError, match="has 100 configurations, the space 210"):
        next(cases(half, LIGHT.experiment))


# The replay


def test_the_same_seed_has_the_same_luck_and_another_seed_another(light):
    def figures(seed):
        luck = np.random.default_rng(seed)
        trial = light[0].replayed.trial(Assignment(0, LIGHT.experiment.baseline()), LIGHT.experiment, luck)
        return trial.score.value

    assert figures(1) == figures(1) != figures(2)


def test_replayed_measurements_are_spread_around_the_truth_as_the_recorded_ones_were(light):
    case, luck = light[0], np.random.default_rng(0)
    baseline = LIGHT.experiment.baseline()
    drawn = [case.replayed.trial(Assignment(0, baseline), LIGHT.experiment, luck).score.value for _ in range(2000)]
    truth = case.replayed.truth
    true = truth.values[identity(baseline)]["throughput_rps"]
    assert np.mean(np.log(drawn)) == pytest.approx(math.log(true), abs=0.005)
    assert np.std(np.log(drawn)) == pytest.approx(truth.noise("throughput_rps"), rel=0.1)


@pytest.mark.parametrize(
    ("share_of_limit", "verdict", "violated"),
    [
        (0.7, Verdict.PASS, False),
        (0.97, Verdict.UNDECIDED, False),
        (1.03, Verdict.UNDECIDED, True),
        (1.5, Verdict.FAIL, True),
    ],
)
def test_a_replayed_trial_is_judged_by_its_own_figures_and_their_interval(light, share_of_limit, verdict, violated):
    case = light[0]
    baseline = LIGHT.experiment.baseline()
    silent = replace(case.replayed.truth, residuals=np.zeros((1, 2)))
    limit = silent.values[identity(baseline)][P99] / share_of_limit
    experiment = LIGHT.experiment.model_copy(update={"slo": Slo(p99_ms=limit)})
    trial = replace(case.replayed, truth=silent).trial(Assignment(0, baseline), experiment, np.random.default_rng(0))
    assert trial.verdict is verdict
    assert (trial.score.violation > 0) is violated


@pytest.mark.parametrize("algorithm", ["random", "grid", "hyperopt", "epsilon_greedy"])
def test_a_study_on_a_case_measures_the_baseline_and_so_many_configurations(light, algorithm):
    outcome = run_on(light[0], Strategy(algorithm), measurements=8, seed=3)
    assert len(outcome.regrets) == 8
    assert outcome.regrets[0] == pytest.approx(light[0].regret(LIGHT.experiment.baseline()))
    again = run_on(light[0], Strategy(algorithm), measurements=8, seed=3)
    assert outcome.regrets == again.regrets


def test_without_noise_regret_never_grows_and_a_whole_space_leaves_none(light):
    silent = replace(light[0].replayed.truth, residuals=np.zeros((1, 2)))
    case = replace(light[0], replayed=replace(light[0].replayed, truth=silent))
    regrets = run_on(case, Strategy("random"), measurements=210, seed=0).regrets
    assert list(regrets) == sorted(regrets, reverse=True)
    assert regrets[-1] == 0


def test_a_strategy_is_an_algorithm_with_its_settings():
    strategy = Strategy("epsilon_greedy:epsilon=0.1")
    assert (strategy.algorithm, strategy.settings) == ("epsilon_greedy", {"epsilon": 0.1})
    assert Strategy("grid:levels=3").settings == {"levels": 3}
    assert Strategy("random").settings == {}
    experiment = studied(LIGHT.experiment, strategy, seed=7, trials=5)
    assert (experiment.search.algorithm, experiment.search.settings()) == ("epsilon_greedy", {"epsilon": 0.1})
    assert (experiment.search.seed, experiment.search.trials) == (7, 5)
    assert searcher_of(experiment).suggest("0")["number"] == 0


def test_a_summary_counts_seeds_that_came_close_and_those_that_break_the_slo():
    outcomes = [
        Outcome((0.5, 0.02), regret=0.02, of_recommended=0.1, violates=False, seconds=0.2),
        Outcome((0.5, 0.03), regret=0.03, of_recommended=0.1, violates=False, seconds=0.2),
        Outcome((0.5, math.inf), regret=math.inf, of_recommended=0.1, violates=True, seconds=0.2),
        Outcome((math.inf, 0.01), regret=0.0, of_recommended=0.1, violates=False, seconds=0.2),
    ]
    found = summary(outcomes)
    assert (found["found"], found["found_near"], found["violated"]) == (0.5, 0.75, 0.25)
    assert found["curve"] == [0.5, 0.02]
    assert found["regret_median"] == 0.02
    assert (found["measurements"], found["ms_per_suggestion"]) == (2, pytest.approx(100))


# The recorder


def test_a_sweep_has_every_configuration_once_in_an_order_of_its_own():
    order = planned(Surface("light_model"), LIGHT.experiment, sweeps=2, finals=0)
    points = [identity(point) for point in grid(LIGHT.experiment.space)]
    first, second = ([identity(one) for one in part] for part in (order[:210], order[210:]))
    assert sorted(first) == sorted(second) == sorted(points)
    assert first != second
    assert first != points


def test_a_recording_goes_on_where_it_was_left():
    surface = LIGHT.surface()
    order = planned(Surface("light_model"), LIGHT.experiment, sweeps=2, finals=0)
    partly = Surface("light_model", tuple(replace(surface.records[0], configuration=c) for c in order[:100]))
    assert planned(partly, LIGHT.experiment, sweeps=2, finals=0) == order[100:]


def test_finals_measure_the_best_again_and_then_nothing_is_left():
    part, rng = narrowed(LIGHT, BATCH, REPLICAS), np.random.default_rng(0)
    experiment, size = part.experiment, 14
    surface, orders = Surface("light_model"), []
    for _ in ("sweeps", "finals"):
        orders.append(planned(surface, experiment, sweeps=2, finals=5))
        measured = tuple(part.measured(configuration, 0.05, rng) for configuration in orders[-1])
        surface = replace(surface, records=surface.records + measured)
    assert planned(surface, experiment, sweeps=2, finals=5) == []
    best = [identity(one) for one in finalists(replace(surface, records=surface.records[: 2 * size]), experiment)]
    assert math.ceil(FINALISTS * size) <= len(best) <= 2 * math.ceil(FINALISTS * size)
    assert sorted(map(identity, orders[1])) == sorted(5 * best), "each of them in every final"


@pytest.mark.parametrize("part", [narrowed(LIGHT, BATCH), narrowed(STEADY, WAIT_S)], ids=["maximize", "minimize"])
def test_the_finalists_begin_with_the_best(part):
    known = true_values(part)
    ranked = sorted(known, key=known.get, reverse=part.experiment.objective.maximize)
    first, *_ = finalists(part.surface(noise=0.002), part.experiment)
    assert known[identity(first)] == pytest.approx(known[ranked[0]], rel=0.01)


def test_a_trial_is_kept_with_figures_intervals_violation_and_what_it_took():
    measured = Measurement.from_metrics(
        {"throughput_rps": 900.0, "latency_p99_ms": 150.0, "error_ratio": 0.0, "requests": 2000, "duration_s": 2.5}
    )
    measured = replace(measured, intervals={"throughput_rps": Interval(850.0, 950.0)})
    experiment = load_experiment(DIGITS)  # p99_ms: 100
    result = TrialResult(
        3,
        {"a.b": 1},
        Status.COMPLETE,
        measurement=measured,
        score=Score(900.0, 0.0),
        details={"steal_share": 0.01, "other": 1.0},
        wall_s=4.0,
        overhead_s=0.5,
    )
    figures = recorded(result, experiment).figures
    assert figures["throughput_rps_lo"] == 850.0
    assert figures["violation"] == pytest.approx(0.5)
    assert (figures["requests"], figures["wall_s"], figures["steal_share"]) == (2000, 4.0, 0.01)
    assert "other" not in figures


def test_a_trial_without_a_measurement_is_kept_with_its_status():
    result = TrialResult(3, {"a.b": 1}, Status.INFEASIBLE, reasons=("no room",), wall_s=2.0)
    assert recorded(result, load_experiment(DIGITS)) == Record({"a.b": 1}, Status.INFEASIBLE, {"wall_s": 2.0})


# The usual protocol


@pytest.mark.parametrize(
    ("throughputs", "latencies", "expected"),
    [
        ([100, 101], [10, 10], False),
        ([100, 101, 99], [10, 10, 10], True),
        ([100, 101, 120], [10, 10, 10], False),
        ([100, 101, 99], [10, 10, 13], False),
        ([500, 100, 101, 99], [10, 10, 10, 10], True),
    ],
    ids=["two windows", "alike", "a throughput apart", "a latency apart", "only the last three count"],
)
def test_windows_are_settled_when_the_last_three_are_within_a_tenth(throughputs, latencies, expected):
    windows = [(float(t), float(latency), 20.0) for t, latency in zip(throughputs, latencies, strict=True)]
    assert settled(windows) is expected


def test_what_is_reported_is_the_average_of_the_last_three_windows():
    assert average([(9.0, 9.0, 9.0), (1.0, 4.0, 7.0), (2.0, 5.0, 8.0), (3.0, 6.0, 9.0)]) == (2.0, 5.0, 8.0)


def test_the_usual_winner_has_the_highest_throughput_of_those_within_the_limit():
    experiment = load_experiment(DIGITS)
    answers = [
        Answer({"a": 1}, (1000.0, 20.0, 90.0), 3, True, 20.0),
        Answer({"a": 2}, (1500.0, 20.0, 101.0), 3, True, 20.0),
        Answer({"a": 3}, (1200.0, 20.0, 99.0), 10, False, 55.0),
        Answer({"a": 4}, None, 0, False, 60.0),
    ]
    assert best_of_answers(answers, experiment).configuration == {"a": 3}
    assert best_of_answers(answers[3:], experiment) is None


def test_a_sample_is_extrapolated_by_its_mean_and_what_comes_once_counts_once():
    answers = [Answer({}, None, 3, True, seconds) for seconds in (20.0, 30.0)]
    assert extrapolated(65.0, answers, points=10) == pytest.approx(15.0 + 250.0)
    assert extrapolated(65.0, answers, points=2) == pytest.approx(65.0)


def test_a_sample_is_part_of_the_points_and_always_the_same():
    points = [{"a": place} for place in range(20)]
    assert sampled(points, 5) == sampled(points, 5)
    assert len({one["a"] for one in sampled(points, 5)}) == 5
    assert sorted(one["a"] for one in sampled(points, None)) == list(range(20))


# Scale


def test_a_simulated_study_is_complete_and_every_trial_is_timed():
    experiment, costs = studied(endless(LIGHT), Strategy("random"), 0, 30), Costs()
    searcher = searcher_of(experiment)
    backend = SimulatedBackend(LIGHT, costs, deadline=math.inf)
    result = run_study(experiment, searcher, backend, NoTracker(), Unwatched(), {})
    assert len(result.trials) == 31
    assert len(costs.all) == len(costs.search) == len(result.trials) + len(result.replications)
    assert all(0 < search < everything for search, everything in zip(costs.search, costs.all, strict=True))
    assert len(result.trials[0].measurement.intervals) > 20, "as many figures as a trial has"


def test_a_line_has_the_median_cost_of_the_last_trials_and_nothing_for_what_was_not_reached():
    costs = Costs(search=[0.001] * 300, tracker=[0.002] * 300, all=[0.004] * 280 + [0.008] * 20)
    line = line_of("random", "none", costs, {})
    assert (line.first_ms, line.last_ms) == (pytest.approx(4.0), pytest.approx(8.0))
    assert (line.search_ms, line.tracker_ms) == (pytest.approx(1.0), pytest.approx(2.0))
    assert math.isnan(line.second_ms)
    assert math.isnan(line.load_s)


def test_the_replayed_back_end_tells_its_listener_of_every_trial(light):
    events = []

    class Listener:
        def trial_started(self, number, configuration, confirms=None):
            events.append(("started", number))

        def trial_finished(self, result):
            events.append(("finished", result.number))

    experiment = studied(light[0].experiment, Strategy("random"), 0, 2)
    ReplayBackend(light[0].replayed, seed=0).run(experiment, searcher_of(experiment), Listener())
    assert events[:6] == [(what, number) for number in range(3) for what in ("started", "finished")]
