"""How much sooner is the answer there than by the usual protocol, and is it as good?

    python -m benchmarks.search.time_to_answer [--experiment search_spaces/digits.yaml] [--sample N] [--json]

The one side is `orchestrator run` on the experiment, from the start of the command to its end. The other measures every
configuration of the grid over the same space, each freshly deployed, until three 5 s windows agree within 10 %
(usual_protocol.py); a range takes part with 5 values, so that digits.yaml has 70 configurations. Then both winners are
deployed afresh in turn, A B B A …, and measured by the same means: a winner is as good when the ratio of its throughput
to the other's is at least 0.97; the ratio has its 95 % interval.

With `--sample` only so many configurations of the grid are measured, drawn at random. The time of all is then
extrapolated from their mean, and the output says so; the other side's winner is then only the best of the sample, so
that nothing is said of which winner is better. About an hour, and 25 minutes less with `--sample 20`.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks.fixed_trials import run_fixed
from benchmarks.search.grid import grid
from benchmarks.search.usual_protocol import Answer, best_of_answers, measure_all
from benchmarks.trust.awake import processors_awake
from orchestrator.experiment import Experiment, load_experiment
from orchestrator.measure.blocks import Blocks
from orchestrator.measure.compare import Comparison
from orchestrator.measure.confidence import CONFIDENCE
from orchestrator.objective import Slo
from orchestrator.result import Configuration

ROOT = Path(__file__).parents[2]
LEVELS = 5
REPLICATIONS = 20
"""Of each winner; where replications vary by 20 %, the ratio is then known to about 14 %."""
AT_LEAST_SOONER, AT_LEAST_AS_GOOD = 10, 0.97


def main() -> None:
    options = _options()
    experiment = load_experiment(options.experiment)
    with processors_awake():
        study_s, study = ours(options.experiment)
        print(f"study: {study_s:.0f} s, winner {study['best']['config']}", flush=True)
        points = list(grid(experiment.space, LEVELS))
        chosen = sampled(points, options.sample)
        began = time.monotonic()
        answers = measure_all(experiment, chosen)
        measured_s = time.monotonic() - began
        usual_s = extrapolated(measured_s, answers, len(points))
        winner = best_of_answers(answers, experiment)
        if winner is None:
            sys.exit("the usual protocol found nothing within the SLO")
        throughputs = interleaved(experiment, study["best"]["config"], winner.configuration)
    everything = len(chosen) == len(points)
    ratio = compared(throughputs)
    print(f"usual protocol: {len(answers)} of {len(points)} configurations in {measured_s:.0f} s", end="")
    print("" if everything else f", all of them in {usual_s:.0f} s if the others take as long on average")
    print(f"{sum(not answer.settled for answer in answers)} never settled; winner {dict(winner.configuration)}")
    sooner = usual_s / study_s
    print(f"sooner by ×{sooner:.1f}, asked ≥ {AT_LEAST_SOONER}: {_verdict(sooner >= AT_LEAST_SOONER)}")
    between = f"({ratio.interval.lo:.3f} to {ratio.interval.hi:.3f})"
    good = f"our winner serves {ratio.ratio:.3f} {between} of the other's requests, {REPLICATIONS} replications each"
    asked = f"asked ≥ {AT_LEAST_AS_GOOD}: {_verdict(ratio.ratio >= AT_LEAST_AS_GOOD)}"
    print(f"{good}; {asked if everything else 'which is only the best of a sample'}")
    if options.json:
        document = {"study_s": study_s, "usual_s": usual_s, "measured": len(answers), "of": len(points)}
        print(json.dumps({**document, "throughputs": throughputs, "ratio": ratio.ratio}))


def ours(file: Path) -> tuple[float, dict]:
    """The wall-clock of `orchestrator run`, and the document that it prints."""
    with tempfile.TemporaryDirectory() as store:
        uri = f"sqlite:///{Path(store) / 'mlflow.db'}"
        command = [sys.executable, "-m", "orchestrator", "run", str(file), "--json", "--tracking-uri", uri]
        began = time.monotonic()
        done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
        return time.monotonic() - began, json.loads(done.stdout)


def sampled(points: Sequence[Configuration], count: int | None) -> list[Configuration]:
    """So many of the points, or all of them, in random order."""
    order = np.random.default_rng(0).permutation(len(points))
    return [points[place] for place in order[:count]]


def extrapolated(measured_s: float, answers: Sequence[Answer], points: int) -> float:
    """The time of all points: what is not a configuration's counts once, the rest in proportion."""
    each_s = sum(answer.seconds for answer in answers)
    return measured_s - each_s + each_s * points / len(answers)


def interleaved(experiment: Experiment, first: Configuration, second: Configuration) -> list[list[float]]:
    """Throughputs of both in turn, the first one leading in every other pair; each deployed anew.

    Between two measurements of the same configuration its replicas are replaced: the CPU that they ask for differs.
    """
    unlimited = experiment.model_copy(update={"slo": Slo()})  # no limit ends a measurement early
    order = [side for pair in range(REPLICATIONS) for side in ((0, 1) if pair % 2 == 0 else (1, 0))]
    afresh = [{**(first, second)[side], **_afresh(experiment, place)} for place, side in enumerate(order)]
    results = run_fixed(unlimited, afresh, experiment.cluster.data_plane).results
    figures = [result.measurement.throughput_rps for result in results]
    return [[figure for figure, one in zip(figures, order, strict=True) if one == side] for side in (0, 1)]


def compared(throughputs: Sequence[Sequence[float]]) -> Comparison:
    """The first side's over the second's; the replications of a pair are a block."""
    blocks = Blocks.fit(np.array(throughputs))
    assert blocks is not None, "two sides with several replications can be compared"
    return blocks.ratio(0, 1, CONFIDENCE)


def _afresh(experiment: Experiment, place: int) -> dict[str, float]:
    """An option of every deployment that has no effect on speed, and that Serve replaces replicas for."""
    names = [entry["name"] for entry in experiment.app["deployments"]]
    return {f"{name}.ray_actor_options.num_cpus": 0.5 - 0.01 * (place % 2) for name in names}


def _verdict(holds: bool) -> str:
    return "holds" if holds else "MISSED"


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--experiment", type=Path, default=ROOT / "search_spaces" / "digits.yaml")
    parser.add_argument("--sample", type=int, help="measure so many configurations of the grid; all if left out")
    parser.add_argument("--json", action="store_true", help="print one JSON object at the end")
    return parser.parse_args()


if __name__ == "__main__":
    main()
