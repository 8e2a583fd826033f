"""What is kept of a comparison of workloads: documents, figures, and the configuration for all."""

from pathlib import Path

import pytest
import yaml

from orchestrator.cli.compared import description, keep_comparison
from orchestrator.experiment import load_experiment
from orchestrator.result import Score, Status, StudyResult, TrialResult
from orchestrator.several import Searched, Several
from tests.fakes.studies import MEASURED
from tests.fakes.tracker import MemoryTracker

SVHN = Path(__file__).parents[2] / "search_spaces" / "svhn.yaml"
REPLICAS = "Classifier.num_replicas"


def study(*values):
    """A study, or a comparison, of 1, 2, … replicas that have these latencies; None over the SLO."""
    trials = tuple(
        TrialResult(
            number,
            {REPLICAS: number + 1},
            Status.COMPLETE,
            measurement=MEASURED,
            score=Score(value or 1, 0.0 if value else 1.0, half_widths=(1.0,)),
            export_config={"applications": [{"name": f"with-{number + 1}"}]},
        )
        for number, value in enumerate(values)
    )
    return StudyResult("1f3e", "svhn", "hyperopt", 0, False, "latency_mean_ms", trials)


def several(few, many):
    searched = {"1-client": Searched(study(10, 9), 1), "60-clients": Searched(study(600, 150), 1)}
    compared = {"1-client": study(*few), "60-clients": study(*many)}
    return Several(searched, ({REPLICAS: 1}, {REPLICAS: 2}), compared)


GOOD, BAD = several([10, 9], [600, 150]), several([10, None], [None, 150])


@pytest.fixture(scope="module")
def experiment():
    return load_experiment(SVHN).quick()


def kept(found, experiment):
    tracker = MemoryTracker()
    comparison_id = keep_comparison(found, experiment, tracker)
    assert [one.name for one in tracker.comparisons()] == ["svhn"]
    return tracker.pages[comparison_id]


def test_figures_tables_and_the_configuration_for_all_workloads_are_kept(experiment):
    pages, text = kept(GOOD, experiment)
    assert set(pages) == {"figures.html", "comparison.txt", "winner.yaml"}
    assert "concurrent clients" in pages["figures.html"], "the workloads are a row"
    assert "For all workloads: [1]  num_replicas=2" in pages["comparison.txt"]
    assert yaml.safe_load(pages["winner.yaml"])["applications"][0]["name"] == "with-2"
    assert text == description(GOOD)


def test_where_none_suits_all_workloads_nothing_is_there_to_deploy(experiment):
    pages, _ = kept(BAD, experiment)
    assert set(pages) == {"figures.html", "comparison.txt"}


@pytest.mark.parametrize(
    ("found", "lines"),
    [
        pytest.param(
            GOOD,
            [
                "**For all workloads: `num_replicas=2`**, "
                "on average 0.0% worse than the best of each workload, 0.0% at most",
                "`1-client`: ×1.11 (0.945–1.28) over the baseline",
                "`60-clients`: ×4.00 (3.97–4.03) over the baseline",
            ],
            id="one for all",
        ),
        pytest.param(
            BAD,
            [
                "**Nothing is recommended for all workloads:** no configuration keeps the SLO under every workload.",
            ],
            id="none for all",
        ),
    ],
)
def test_the_description_names_what_is_recommended_and_each_gain(found, lines):
    told = description(found).split("\n\n")
    assert told[: len(lines)] == lines
    assert told[-1] == "Figures: `figures.html`, tables: `comparison.txt`, among the artifacts."
