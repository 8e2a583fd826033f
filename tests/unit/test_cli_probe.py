"""`orchestrator check --probe`: under which load, and what becomes of what was found."""

import io
from pathlib import Path

import pytest
from rich.console import Console

from orchestrator.cli.probe import chosen_for_probe, probe_command, propose
from orchestrator.errors import UsageError
from orchestrator.experiment import load_experiment, read_experiment
from orchestrator.feasible import Need, Room, Step, probe

RESNET = Path(__file__).parents[2] / "search_spaces" / "resnet.yaml"


class Site:
    """A node for two replicas, each of which sustains five clients."""

    def room(self):
        return Room(1000, 0, 2, {"CPU": 2})

    def deploy(self):
        return 1.0

    def load(self, clients):
        return Step(clients, 5.0, "it broke" if clients > 5 else "")

    def needs(self):
        return {"Jpegs": Need(1, 300, 1.0, {"CPU": 0.5})}


@pytest.fixture
def proposed():
    """What is printed of an experiment for such a node."""

    def run(experiment, write=None):
        found = probe(Site(), 32, lambda _: None, lambda _: None)
        console = Console(file=io.StringIO(), width=200)
        propose(console, experiment, found, write)
        return console.file.getvalue()

    return run


def test_the_workload_with_the_most_clients_is_probed_with_short_loads():
    chosen, wanted = chosen_for_probe(load_experiment(RESNET))
    assert (chosen.variant, wanted) == ("32-clients", 32)
    assert (chosen.measure.warmup_max_s, chosen.measure.min_s, chosen.measure.max_s) == (3, 5, 10)


def test_an_open_loop_says_no_number_of_clients():
    text = RESNET.read_text().partition("workloads:")[0]
    text = text.replace("closed_loop: {concurrency: 1}", "open_loop: {rate_rps: 5}")
    single = read_experiment(text.replace("maximize: throughput_rps", "minimize: latency_mean_ms"), RESNET)
    assert chosen_for_probe(single)[1] == 32


def test_changed_lines_are_shown_and_nothing_is_written_unasked(proposed):
    printed = proposed(load_experiment(RESNET))
    assert "-  Jpegs.num_replicas: {randint: [1, 8]}" in printed
    assert "+  Jpegs.num_replicas: {randint: [1, 2]}" in printed
    assert "+  Jpegs.max_queued_requests: {choice: [8]}" in printed
    assert "--probe --write NEW.yaml" in printed


def test_the_narrowed_experiment_says_why_and_is_otherwise_the_same(proposed, tmp_path):
    new, experiment = tmp_path / "new.yaml", load_experiment(RESNET)
    assert "written:" in proposed(experiment, new)
    narrowed = load_experiment(new)
    assert narrowed.space.knobs["Jpegs.num_replicas"].high == 2
    assert narrowed.space.knobs["Jpegs.max_ongoing_requests"].values == (4, 8)
    assert [line for line in RESNET.read_text().splitlines() if line not in new.read_text()] == [
        "  Jpegs.num_replicas: {randint: [1, 8]}",
        "  Jpegs.max_ongoing_requests: {choice: [4, 8, 32]}",
        "  Jpegs.max_queued_requests: {choice: [8, 32, 64]}",
    ]
    assert "# Jpegs.num_replicas: [1, 8] became [1, 2], for 2 fit by cores" in new.read_text()


def test_a_space_that_fits_is_written_as_it_is(proposed, tmp_path):
    text = (
        RESNET.read_text().replace("[1, 8]}", "[1, 2]}").replace("[4, 8, 32]", "[4, 8]").replace("[8, 32, 64]", "[8]")
    )
    assert "nothing is narrowed" in proposed(read_experiment(text, RESNET), tmp_path / "new.yaml")
    assert (tmp_path / "new.yaml").read_text() == text


def test_a_file_that_is_there_is_not_overwritten(tmp_path):
    (tmp_path / "mine.yaml").write_text("mine")
    with pytest.raises(UsageError, match=r"mine\.yaml exists, and is not overwritten: name a new file"):
        probe_command(load_experiment(RESNET), None, tmp_path / "mine.yaml")
    assert (tmp_path / "mine.yaml").read_text() == "mine"
