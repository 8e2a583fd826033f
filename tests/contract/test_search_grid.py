import pytest

from orchestrator.search import make_searcher
from orchestrator.search.grid import grid_point, grid_size
from orchestrator.space import Space, parse_knob


def space(**knobs):
    return Space(knobs={path: parse_knob(raw) for path, raw in knobs.items()})


def points(of, levels=3):
    return [grid_point(of, index, levels) for index in range(grid_size(of, levels))]


def proposed(of, trials, seed=0, levels=3, baseline=None, **settings):
    searcher = make_searcher(of, "grid", seed, trials, baseline or {}, [True], levels=levels, **settings)
    found = []
    for number in range(trials + 1):
        found.append(searcher.suggest(f"t{number}")["configuration"])
        searcher.on_trial_complete(f"t{number}", {})
    return found[1:]


@pytest.mark.parametrize(
    ("knob", "values"),
    [
        ({"choice": ["a", None, 3]}, ["a", None, 3]),
        ({"quniform": [0, 1, 0.2]}, [0, 0.2, 0.4, 0.6, 0.8, 1.0]),
        ({"randint": [1, 3]}, [1, 2, 3]),
        ({"randint": [1, 9]}, [1, 5, 9]),
        ({"lograndint": [1, 3]}, [1, 2, 3]),
        ({"lograndint": [1, 100]}, [1, 10, 100]),
        ({"uniform": [-1, 2]}, [-1, 0.5, 2]),
        ({"uniform": [2, 2]}, [2]),
        ({"loguniform": [0.01, 1]}, [0.01, pytest.approx(0.1), 1]),
    ],
)
def test_a_knob_has_its_values_or_so_many_levels_with_both_ends(knob, values):
    assert [point["k"] for point in points(space(k=knob))] == values


def test_the_last_knob_changes_fastest():
    pair = space(a={"choice": [1, 2]}, b={"choice": ["x", "y"]})
    assert [tuple(point.values()) for point in points(pair)] == [(1, "x"), (1, "y"), (2, "x"), (2, "y")]


def test_each_branch_has_a_grid_of_its_own():
    nested = space(
        a={"condition": {"p": {"n": {"choice": [1, 2]}}, "q": None, "r": {"m": {"choice": [True, False]}}}},
        b={"choice": [0, 1]},
    )
    found = points(nested)
    assert len(found) == grid_size(nested, 3) == nested.size() == 10
    assert all(nested.contains(point) for point in found)
    assert len({repr(point) for point in found}) == 10
    assert found[0] == {"a": "p", "n": 1, "b": 0}
    assert found[-1] == {"a": "r", "m": False, "b": 1}


def test_a_whole_grid_is_walked_in_order_and_then_left():
    line = space(k={"uniform": [0, 2]})
    found = proposed(line, 5)
    assert [point["k"] for point in found[:3]] == [0, 1, 2]
    assert all(0 < point["k"] < 2 for point in found[3:])


@pytest.mark.parametrize("interleaved", [False, True])
def test_where_nothing_is_left_the_grid_is_walked_once_more(interleaved):
    pair = space(a={"choice": [1, 2]}, b={"choice": [1, 2, 3]})
    found = [tuple(point.values()) for point in proposed(pair, 17, baseline={"a": 1, "b": 2}, interleaved=interleaved)]
    walks = [[(1, 2), *found[:5]], found[5:11], found[11:]]
    assert all(len(set(walk)) == 6 for walk in walks)


def test_a_walk_that_was_interrupted_goes_on_where_it_was():
    pair = space(a={"choice": [1, 2]}, b={"choice": [1, 2, 3]})
    whole = proposed(pair, 11, interleaved=True)
    searcher = make_searcher(pair, "grid", 0, 11, {}, [True], interleaved=True)
    searcher.replay([(number, point, {}) for number, point in enumerate([{}, *whole[:8]])])
    assert searcher.suggest("t9")["configuration"] == whole[8]


def test_of_a_grid_too_large_a_sample_is_drawn_by_the_seed():
    wide = space(a={"uniform": [0, 1]}, b={"uniform": [0, 1]}, c={"uniform": [0, 1]})
    first, again, other = (proposed(wide, 20, seed, levels=1000) for seed in (0, 0, 1))
    assert first == again != other
    assert min(point["a"] for point in first) < 0.2
    assert max(point["a"] for point in first) > 0.8
    assert len({repr(point) for point in first}) == 20


def test_the_baseline_is_not_measured_again():
    pair = space(k={"choice": [1, 2, 3]})
    searcher = make_searcher(pair, "grid", 0, 2, {"k": 2}, [True])
    found = []
    for number in range(3):
        found.append(searcher.suggest(str(number))["configuration"]["k"])
        searcher.on_trial_complete(str(number), {})
    assert found == [2, 1, 3]


def test_a_sample_of_a_grid_is_the_same_in_whatever_order_it_is_deployed():
    wide = space(a={"choice": ["p", "q", "r", "s"]}, b={"randint": [1, 5]}, c={"randint": [1, 5]})

    def measured(in_place):
        searcher = make_searcher(wide, "grid", 3, 30, {}, [True], in_place=in_place)
        found = []
        for number in range(31):
            found.append(searcher.suggest(f"t{number}")["configuration"])
            searcher.on_trial_complete(f"t{number}", {})
        return found[1:]

    as_they_come, ordered = measured(None), measured(lambda before, after: before.get("a") == after["a"])
    assert ordered != as_they_come
    assert sorted(map(str, ordered)) == sorted(map(str, as_they_come))
    for start in range(0, 30, 8):  # a study that is cut short has seen the same, up to a batch
        assert sorted(map(str, ordered[start : start + 8])) == sorted(map(str, as_they_come[start : start + 8]))


def interleaved(of, trials, seed=0):
    searcher = make_searcher(of, "grid", seed, trials, {}, [True], interleaved=True)
    found = []
    for number in range(trials + 1):
        found.append(searcher.suggest(f"t{number}")["configuration"])
        searcher.on_trial_complete(f"t{number}", {})
    return found[1:]


MODELS = space(
    model={"condition": {"light": {"n": {"choice": list(range(12))}}, "heavy": {"n": {"choice": list(range(4))}}}},
    engine={"choice": ["x", "y"]},
)


def test_an_interleaved_grid_is_measured_whole_in_an_order_that_the_seed_gives():
    found = interleaved(MODELS, 32)
    assert sorted(map(str, found)) == sorted(map(str, points(MODELS)))
    assert found == interleaved(MODELS, 32)
    assert found != interleaved(MODELS, 32, seed=1)


@pytest.mark.parametrize("seed", range(5))
def test_an_interleaved_grid_goes_evenly_over_the_values_of_its_first_knob(seed):
    found = interleaved(MODELS, 32, seed)
    for start in (0, 8, 16, 24):  # a quarter of the study has a quarter of each model, give or take one
        heavy = sum(point["model"] == "heavy" for point in found[start : start + 8])
        assert abs(heavy - 2) <= 1


def test_a_part_of_an_interleaved_grid_has_its_share_of_each_value():
    found = interleaved(MODELS, 8)
    assert len({str(point) for point in found}) == 8
    assert sum(point["model"] == "heavy" for point in found) in (1, 2, 3)
