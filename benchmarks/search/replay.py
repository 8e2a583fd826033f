"""How soon does each algorithm find a configuration that cannot be beaten by much? On recorded surfaces, in minutes.

    python -m benchmarks.search.replay [--surfaces NAME ...] [--algorithms NAME[:SETTING=VALUE,...] ...] [--seeds 50]

Every algorithm searches every surface once per seed, with measurements that are drawn around the surface's truth with
its recorded noise (truth.py, replayed.py); once as it is, and once under a limit on the p99 that excludes more than
half of it. Judged by the truth, which no algorithm sees: how much worse than the best is what the study ends with?
Asked: within 2 % after 5 % of the configurations in 90 % of the seeds, and an SLO that is broken in 1 % of them at
most. `--synthetic` takes surfaces made by formula instead, `--means` takes the measured means for the truth. A recorded
measurement is 2.5 s long; `--windows 6` gives a trial the 15 s that it may take by default.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from functools import partial
from itertools import product
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table
from threadpoolctl import threadpool_limits

from benchmarks.search.case import Case, cases
from benchmarks.search.studies import Outcome, Strategy, run_on
from benchmarks.search.surface import SEARCH_SPACES, SURFACES, load_surface
from benchmarks.search.synthetic import FORMULAS, synthetic
from orchestrator.cli.output import screen
from orchestrator.document import to_json
from orchestrator.experiment import ALGORITHMS, load_experiment

CLOSE, NEAR = 0.02, 0.05
BUDGETS = (0.05, 0.10)
"""Shares of the configurations that a study may measure; at 1 `random` measures each of them once."""

PROCESSES = 2


def main() -> None:
    options = _options()
    tasks_cases = list(_cases(options))
    strategies = [Strategy(text) for text in options.algorithms]
    budgets = options.budgets
    tasks = list(product(range(len(tasks_cases)), strategies, budgets, range(options.seeds)))
    # the cases are inherited, not sent; with a process for each core, threads within one only wait for each other
    with get_context("fork").Pool(PROCESSES, threadpool_limits, (1,)) as pool:
        done = pool.imap(partial(_run, tasks_cases), tasks, chunksize=5)
        outcomes = list(track(done, "searching", len(tasks), console=Console(stderr=True)))
    by_cell: dict[tuple[int, str, float], list[Outcome]] = {}
    for (place, strategy, budget, _), outcome in zip(tasks, outcomes, strict=True):
        by_cell.setdefault((place, strategy.text, budget), []).append(outcome)
    document = []
    for place, case in enumerate(tasks_cases):
        rows = {s.text: {budget: summary(by_cell[place, s.text, budget]) for budget in budgets} for s in strategies}
        screen(sys.stdout).print(table(case, rows))
        document.append({"case": case.name, "configurations": case.size, "algorithms": rows})
    if options.json:
        options.json.write_text(json.dumps(to_json(document), indent=1))


def summary(outcomes: Sequence[Outcome]) -> dict[str, object]:
    """What the seeds of one cell say: shares at the end, and the median regret after each measurement."""
    regrets = np.array([outcome.regrets for outcome in outcomes])
    at_end = np.array([outcome.regret for outcome in outcomes])
    return {
        "measurements": regrets.shape[1],
        "found": float(np.mean(at_end <= CLOSE)),
        "found_near": float(np.mean(at_end <= NEAR)),
        "violated": float(np.mean([outcome.violates for outcome in outcomes])),
        "regret_median": _middle(at_end),
        "recommended_median": _middle(np.array([outcome.of_recommended for outcome in outcomes])),
        "curve": [_middle(column) for column in regrets.T],
        "ms_per_suggestion": 1e3 * float(np.mean([outcome.seconds for outcome in outcomes])) / regrets.shape[1],
    }


def _middle(regrets: np.ndarray) -> float:
    """The median; of an even number the lower one, for there is no middle between a number and infinity."""
    return float(np.sort(regrets)[(len(regrets) - 1) // 2])


def table(case: Case, rows: dict[str, dict[float, dict[str, object]]]) -> Table:
    """One line per algorithm, the best first."""
    noise = case.replayed.truth.noise(case.experiment.objective.metric) / case.replayed.windows**0.5
    found = Table(
        title=f"{case.name}: {case.size} configurations, {case.share_close(CLOSE):.0%} of them within {CLOSE:.0%} of "
        f"the best; a measurement varies by {noise:.1%}",
        title_justify="left",
    )
    found.add_column("algorithm")
    budgets = list(next(iter(rows.values())))
    for budget in budgets:
        found.add_column(f"within {CLOSE:.0%}\nafter {budget:.0%}", justify="right")
        found.add_column(f"within\n{NEAR:.0%}", justify="right")
        found.add_column("median\nregret", justify="right")
        found.add_column("breaks\nSLO", justify="right")
    found.add_column("ms", justify="right")
    for name, row in sorted(rows.items(), key=lambda entry: -float(entry[1][budgets[0]]["found"])):
        cells = []
        for budget in budgets:
            one = row[budget]
            shares = (one["found"], one["found_near"])
            cells += [*(f"{share:.0%}" for share in shares), f"{one['regret_median']:.1%}", f"{one['violated']:.0%}"]
        found.add_row(name, *cells, f"{row[budgets[-1]]['ms_per_suggestion']:.0f}")
    return found


def _run(all_cases: Sequence[Case], task: tuple[int, Strategy, float, int]) -> Outcome:
    place, strategy, budget, seed = task
    case = all_cases[place]
    return run_on(case, strategy, int(budget * case.size), seed)


def _cases(options: argparse.Namespace):
    if options.synthetic:
        pairs = [(one.surface(), one.experiment) for one in map(synthetic, options.surfaces or FORMULAS)]
    else:
        names = options.surfaces or sorted(path.stem for path in SURFACES.glob("*.json"))
        if not names:
            sys.exit(f"there are no surfaces in {SURFACES}: record one first, or take --synthetic")
        pairs = [(load_surface(SURFACES / f"{n}.json"), load_experiment(SEARCH_SPACES / f"{n}.yaml")) for n in names]
    for surface, experiment in pairs:
        yield from cases(surface, experiment, smooth=not options.means, windows=options.windows)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--surfaces", nargs="+", metavar="NAME", help="recorded surfaces; all of them if left out")
    parser.add_argument("--synthetic", action="store_true", help="surfaces by formula instead")
    parser.add_argument("--algorithms", nargs="+", default=list(ALGORITHMS), metavar="NAME[:SETTING=VALUE,...]")
    parser.add_argument("--seeds", type=int, default=50)
    parser.add_argument("--budgets", nargs="+", type=float, default=BUDGETS, metavar="SHARE", help="of all, measured")
    parser.add_argument("--windows", type=int, default=1, help="recorded measurements that make up a trial: its length")
    parser.add_argument("--means", action="store_true", help="judge by the means as they were measured")
    parser.add_argument("--json", type=Path, help="also write everything to this file")
    return parser.parse_args()


if __name__ == "__main__":
    main()
