from pathlib import Path

import pytest

from orchestrator.search import frame, hyperopt_tpe, optuna_samplers, surrogate
from orchestrator.search.algorithm import PATIENCE, RANDOM_SHARE, Random
from orchestrator.search.grid import Grid

GUIDE = (Path(__file__).parents[2] / "docs" / "search.md").read_text(encoding="utf-8")
LEAST, MOST = optuna_samplers.POPULATION


@pytest.mark.parametrize(
    "words",
    [
        f"{RANDOM_SHARE * 100:.0f} % of all for `hyperopt` and `tpe`",
        f"{optuna_samplers.GP_RANDOM} with the baseline for",
        f"from {LEAST} to {MOST}",
        f"half of {hyperopt_tpe.MOST} trials (`hyperopt`), of {optuna_samplers.MOST} (Optuna's) or of {surrogate.MOST}",
        f"spreads its first {surrogate.SPREAD_OUT} over the space",
        f"promise {surrogate.ALIKE:.0%} or more".replace("%", " %"),
        f"after {PATIENCE} repeats in a row (`gp`: {optuna_samplers.GP_PATIENCE}",
        f"choose {Random.batch} configurations at a time",
        f"{frame.MOST_DRAWS:,} random",
    ],
)
def test_the_guide_states_the_constants_of_the_search(words):
    assert words in " ".join(GUIDE.split())


def test_algorithms_that_do_not_learn_look_ahead_alike():
    assert Random.batch == Grid.batch > 1
