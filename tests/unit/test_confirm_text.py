"""A confirmation on the terminal: while it goes on, and what came of it."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
import yaml
from rich.console import Console

from orchestrator.cli.check import print_check
from orchestrator.cli.display import StudyDisplay
from orchestrator.cli.export import exported
from orchestrator.cli.tables import print_outcome
from orchestrator.experiment import load_experiment
from orchestrator.experiment.plan import ConfirmPlan, MeasurePlan
from tests.unit.test_confirm_conclusion import CLEAR, LOST, NEAR, again, config, study, trial

ROOT = Path(__file__).parents[2]
DIGITS = (
    load_experiment(ROOT / "search_spaces" / "digits.yaml")
    .with_overrides(trials=14)
    .model_copy(update={"confirm": ConfirmPlan(), "measure": MeasurePlan(warmup_s=1, warmup_max_s=4, min_s=2, max_s=4)})
)


def printed(show, width=120):
    console = Console(width=width, record=True, file=io.StringIO())
    show(console)
    return " ".join(console.export_text().split())


def outcome(*arguments):
    return printed(lambda console: print_outcome(console, study(*arguments)))


@pytest.mark.parametrize(
    ("values", "exports", "words"),
    [
        pytest.param(CLEAR, {}, "Winner: trial 7", id="winner"),
        pytest.param(CLEAR, {}, "over the baseline: throughput ×9.99 (9.90–10.1), 99 %;", id="gain"),
        pytest.param(CLEAR, {}, "p99 9.99 times shorter (9.90–10.1), 99 %", id="gain in p99"),
        pytest.param(CLEAR, {}, "the best trials and the baseline, deployed afresh 3 times in turn", id="table"),
        pytest.param(
            {**CLEAR, 7: [*CLEAR[7], 1000, 995]}, {}, "deployed afresh up to 5 times in turn", id="one was in doubt"
        ),
        pytest.param(CLEAR, {}, "12 500 (484 to 517) 0.50 (0.50–0.50) 3 of 3", id="candidate"),
        pytest.param(
            {**CLEAR, 12: [("over", 500), 507, 494]},
            {},
            "12 500 (484 to 517) 0.50 (0.50–0.50) 2 of 3",
            id="over the SLO",
        ),
        pytest.param(
            {**CLEAR, 12: [500, LOST, 494]}, {}, "trial 12 has 2 of 3 replications: the client was late", id="lost"
        ),
        pytest.param(
            NEAR,
            {7: config(1), 12: config(2)},
            "trials 7 and 12 cannot be told apart; 7 is recommended: fewer replicas k=7",
            id="cannot be told apart",
        ),
        pytest.param(
            {7: [1000, 1030, 990], 0: [1005, 1000, 1000]},
            {7: config(2), 0: config(1)},
            "trial 7 and the baseline cannot be told apart; the baseline is recommended: fewer replicas k=0",
            id="not even from the baseline",
        ),
        pytest.param(
            {7: [("over", 900)], 0: [100]},
            {},
            "No winner: none kept the SLO every time it was measured again",
            id="none",
        ),
        pytest.param(
            {7: [], 0: []},
            {},
            "throughput ×1.07; p99 1.07 times shorter (not confirmed: one measurement of each)",
            id="off",
        ),
        pytest.param(
            {7: [10, 10.1, 9.9], 12: [9, 9.1, 9], 0: [("over", 20), 20, 20.1]},
            {},
            "throughput ×0.499 (0.484–0.514), 99 %; p99 2.00 times longer (1.94–2.06), 99 %",
            id="less than a baseline that may not win",
        ),
    ],
)
def test_the_outcome_tells_of_it_in_words(values, exports, words):
    assert words in outcome(values, exports)


def test_a_baseline_that_wins_has_no_gain_over_itself():
    shown = outcome({7: [10, 10, 10], 0: [20, 20, 20]}, {})
    assert "Winner: baseline" in shown
    assert "over the baseline" not in shown


def test_the_export_is_what_is_recommended():
    found = study(NEAR, {7: config(2), 12: config(1)})
    assert "trial 12" in exported(found, None)
    assert "trial 7" in exported(found, 7)


def test_a_replication_is_told_from_trials_while_it_goes_on():
    def show(console):
        display = StudyDisplay(console, DIGITS)
        for replication in (again(7, 0, 1000, 21), again(0, 0, 100, 22)):
            display.trial_started(replication.number, {}, replication.confirms)
            display.trial_finished(replication, trial(7, 1000.0))

    shown = printed(show)
    assert shown.count("confirming the winner: the best trials and the baseline, deployed afresh in turn") == 1
    assert "7 again COMPLETE" in shown
    assert "baseline again COMPLETE" in shown
    assert "best so far" not in shown


def test_what_is_left_includes_the_replications_to_come():
    now = 0.0
    console = Console(width=120, file=io.StringIO())
    display = StudyDisplay(console, DIGITS, clock=lambda: now)
    display.trial_started(0, {}, None)
    now = 10.0
    display.trial_finished(trial(0, 100.0), None)
    assert "0/14 trials" in display._footer().plain
    assert "about 4 min 20 s left" in display._footer().plain  # 14 trials and 12 replications, 10 s each
    display.trial_started(15, {}, 7)
    display.trial_finished(again(7, 0, 1000, 15), None)
    assert "1/12 replications" in display._footer().plain


@pytest.mark.parametrize(
    ("plan", "words"),
    [
        (
            ConfirmPlan(),
            "the best 3 trials and the baseline are deployed and measured 3 times more, in turn, up to 9 times while",
        ),
        (ConfirmPlan(top=1, replications=5), "the best trial and the baseline are deployed and measured 5 times more"),
        (ConfirmPlan(top=0), "the winner is not measured again"),
    ],
)
def test_check_says_how_the_winner_will_be_confirmed(plan, words):
    assert f"confirm: {words}" in printed(
        lambda console: print_check(console, DIGITS.model_copy(update={"confirm": plan}))
    )


def test_check_counts_its_time():
    off = DIGITS.model_copy(update={"confirm": ConfirmPlan(top=0)})
    assert "time: 1 min 9 s to" in printed(lambda console: print_check(console, off))
    assert "time: 2 min 39 s to" in printed(lambda console: print_check(console, DIGITS))


def test_the_guide_shows_the_defaults_and_the_words_of_the_outcome():
    guide = (ROOT / "docs" / "confirmation.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```yaml\n(.*?)```", guide, flags=re.DOTALL)
    assert yaml.safe_load(example) == {
        "confirm": {**ConfirmPlan().model_dump(), "max_replications": ConfirmPlan().most}
    }
    (screen,) = re.findall(r"```\n(the best trials.*?)```", guide, flags=re.DOTALL)
    shown = outcome(NEAR, {7: config(2, 32), 12: config(1, 16)})
    for line in screen.splitlines():
        if line.startswith(("   ", "the best", "baseline", "  over", "  trials")) and "…" not in line:
            assert " ".join(line.split()) in shown
