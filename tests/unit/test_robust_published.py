"""The tables that an earlier study published, as far as they determine the answer: counts, orders, choices."""

import pytest

from orchestrator.robust import TOP, by_top, standings
from tests.fakes.published import MODELS, REGRETS, TOP_COUNTS

SETTINGS = ["jpegs", "tensors"]


def figures_with_regrets(regrets):
    """Times by model under which every configuration has just this regret: each model has a best one of its own."""
    return {
        f"model {number}": {**{key: 1 + regret for key, regret in regrets.items()}, f"its own {number}": 1.0}
        for number in range(MODELS)
    }


def figures_with_counts(counts):
    """Times by model of which each configuration is so often one of the best three; those most often so come first."""
    left, figures = dict(counts), {}
    for number in range(MODELS):
        best = sorted(left, key=left.__getitem__, reverse=True)[:TOP]
        for key in best:
            left[key] -= 1
        figures[f"model {number}"] = {key: 1.0 + 0.01 * best.index(key) if key in best else 2.0 for key in counts}
    assert not any(left.values())
    return figures


@pytest.mark.parametrize("setting", SETTINGS)
def test_configurations_come_in_the_published_order_of_their_regrets(setting):
    published = REGRETS[setting]
    found = [
        one for one in standings(figures_with_regrets(published), maximize=False) if one.configuration in published
    ]
    assert [one.configuration for one in found] == list(published)
    assert {one.configuration: one.mean_regret for one in found} == pytest.approx(published)


@pytest.mark.parametrize(("setting", "chosen"), [("jpegs", (128, 12)), ("tensors", (256, 2))])
def test_the_choice_for_all_models_is_the_published_one(setting, chosen):
    first, *_ = standings(figures_with_regrets(REGRETS[setting]), maximize=False)
    assert first.configuration == chosen
    assert first.mean_regret < {"jpegs": 0.02, "tensors": 0.004}[setting]


@pytest.mark.parametrize("setting", SETTINGS)
def test_the_best_three_of_each_model_are_counted_as_published(setting):
    published = TOP_COUNTS[setting]
    assert sum(published.values()) == TOP * MODELS
    found = {one.configuration: one.top for one in by_top(standings(figures_with_counts(published), maximize=False))}
    assert found == published
    assert list(found.values()) == sorted(published.values(), reverse=True)


def test_too_many_workers_cost_and_one_is_not_enough_where_photos_are_decoded():
    of_128 = {workers: regret for (batch, workers), regret in REGRETS["jpegs"].items() if batch == 128}
    assert of_128[1] > of_128[4] > of_128[12] < of_128[32] < of_128[64]
