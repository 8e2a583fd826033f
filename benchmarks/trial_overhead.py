"""What a trial costs besides warm-up and measuring, from its start to the start of the next.

    python benchmarks/trial_overhead.py [--trials 12] [--json]

Everything counts: Ray Tune, the new Serve config, readiness, the load client, MLflow with samples. Two series of
trials of the bundled classifier: changes that Serve applies in place, and changes that replace the replica.
"""

from __future__ import annotations

import argparse
import json
import statistics
from pathlib import Path

from fixed_trials import run_fixed

from orchestrator.experiment import load_experiment

DIGITS = Path(__file__).parents[1] / "search_spaces" / "digits.yaml"
BATCH = "Classifier.user_config.max_batch_size"
CPUS = "Classifier.ray_actor_options.num_cpus"
LIMITS = {"reconfigured in place": 0.8, "replicas replaced": 4.5}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=12, help="trials in each series")
    parser.add_argument("--json", action="store_true", help="print one JSON object at the end")
    arguments = parser.parse_args()

    experiment = load_experiment(DIGITS)
    count = arguments.trials
    in_place = [{BATCH: 8 + index % 2 * 8, CPUS: 1} for index in range(count)]
    replaced = [{BATCH: 8, CPUS: 0.9 - 0.1 * (index % 2)} for index in range(count)]
    # The first trial starts Serve's application, the last has no next one to end its span: neither counts.
    configurations = [in_place[0], *in_place, *replaced, replaced[0]]
    watch = run_fixed(experiment, configurations, None)

    def overheads(numbers: range) -> list[float]:
        spans = {result.number: result.wall_s - result.overhead_s for result in watch.results}
        return [watch.start_to_start_s(number) - spans[number] for number in numbers]

    series = {
        "reconfigured in place": overheads(range(1, count + 1)),
        "replicas replaced": overheads(range(count + 1, 2 * count + 1)),
    }
    document = {}
    print(f"\n{'overhead of a trial, s':<26}{'min':>7}{'median':>8}{'max':>7}{'limit':>8}")
    for name, values in series.items():
        middle = statistics.median(values)
        holds = "holds" if middle <= LIMITS[name] else "MISSED"
        print(f"{name:<26}{min(values):7.2f}{middle:8.2f}{max(values):7.2f}{LIMITS[name]:8.1f}  {holds}")
        document[name] = {"min": min(values), "median": middle, "max": max(values), "limit": LIMITS[name]}
    if arguments.json:
        print(json.dumps(document))


if __name__ == "__main__":
    main()
