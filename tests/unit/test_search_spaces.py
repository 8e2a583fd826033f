"""Every experiment that comes with the project is one that can be run."""

from pathlib import Path

import pytest

from orchestrator.experiment import configured, load_experiment
from orchestrator.serve_config import app_problems

FILES = sorted((Path(__file__).parents[2] / "search_spaces").glob("**/*.y*ml"))


def test_there_are_experiments():
    assert FILES


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_an_experiment_of_the_project_loads(file):
    experiment = load_experiment(file)
    assert experiment.name == file.stem
    assert set(experiment.baseline()) <= set(experiment.space.paths())
    assert app_problems(configured(experiment, experiment.baseline()).app) == []
