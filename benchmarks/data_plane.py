"""The baseline and the best configuration on Serve's Python proxy and on HAProxy, in one run.

    python benchmarks/data_plane.py [--study REF] [--replications 3] [--json]

Each data plane gets a fresh local cluster; on it the configurations are measured in turn, A B A B …, with the load,
warm-up and measuring time of the experiment. `--study` takes the winner of a study in ./mlruns (the latest of that
name or id); without it a stated configuration stands in for it.
"""

from __future__ import annotations

import argparse
import json
import statistics
from pathlib import Path

from fixed_trials import run_fixed

from orchestrator.experiment import load_experiment
from orchestrator.result import TrialResult

DIGITS = Path(__file__).parents[1] / "search_spaces" / "digits.yaml"
TUNED = {
    "Classifier.user_config.max_batch_size": 32,
    "Classifier.user_config.batch_wait_timeout_s": 0.001,
    "Classifier.num_replicas": 1,
}
PLANES = ("proxy", "haproxy")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--study", help="take the tuned configuration from this study's winner")
    parser.add_argument("--replications", type=int, default=3)
    parser.add_argument("--json", action="store_true", help="print one JSON object at the end")
    arguments = parser.parse_args()

    experiment = load_experiment(DIGITS)
    tuned = winner(arguments.study) if arguments.study else TUNED
    configurations = {"baseline": experiment.baseline(), "tuned": tuned}
    cells: dict[tuple[str, str], list[TrialResult]] = {}
    for plane in PLANES:
        print(f"{plane}: a fresh cluster", flush=True)
        order = list(configurations.values()) * arguments.replications
        results = run_fixed(experiment, order, plane).results
        for index, name in enumerate(configurations):
            cells[plane, name] = results[index :: len(configurations)]

    print(f"\ntuned: {tuned}\n{'':<22}{'req/s (min–max)':>26}{'p99 ms (min–max)':>26}")
    document = {}
    for (plane, name), trials in cells.items():
        rates = [trial.measurement.throughput_rps for trial in trials]
        tails = [trial.measurement.latency_p99_ms for trial in trials]
        print(f"{plane + ', ' + name:<22}{spread(rates):>26}{spread(tails):>26}")
        document[f"{plane}_{name}"] = {"throughput_rps": rates, "latency_p99_ms": tails}
    slow, fast = cells["proxy", "baseline"], cells["haproxy", "tuned"]
    gain = median(fast, "throughput_rps") / median(slow, "throughput_rps")
    tail = median(slow, "latency_p99_ms") / median(fast, "latency_p99_ms")
    print(f"\nhaproxy, tuned over proxy, baseline: ×{gain:.1f} throughput, p99 ×{1 / tail:.2f}")
    print("≥ 10× at a p99 no worse: " + ("holds" if gain >= 10 and tail >= 1 else "MISSED"))
    if arguments.json:
        print(json.dumps({**document, "throughput_gain": gain, "p99_gain": tail}))


def winner(study: str) -> dict:
    from orchestrator.tracking import open_tracker

    best = open_tracker(None, Path.cwd()).load_study(study).best
    if best is None:
        raise SystemExit(f"study {study} has no winner")
    return dict(best.configuration)


def median(trials: list[TrialResult], metric: str) -> float:
    return statistics.median(getattr(trial.measurement, metric) for trial in trials)


def spread(values: list[float]) -> str:
    return f"{statistics.median(values):,.0f} ({min(values):,.0f}–{max(values):,.0f})"


if __name__ == "__main__":
    main()
