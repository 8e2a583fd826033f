"""What it costs to reduce 1,000,000 samples to a measurement with intervals, and to verdicts on an SLO.

A process of its own for each round, which makes the samples first (a waiting line, 1 % failures); counted are
the time of the reduction and by how much it raises the peak of the process's resident memory.

    python benchmarks/trust/reduction.py [--samples 1000000] [--rounds 3]
"""

import argparse
import json
import resource
import subprocess
import sys
import time
from pathlib import Path

LIMIT_S = 1.0
LIMIT_MB = 300.0
SERVICE_S, UTILISATION = 0.0001, 0.8
LIMITS = {"latency_p99_ms": 50.0, "latency_mean_ms": 10.0, "error_ratio": 0.001}


def waiting_line(count):
    """Samples of one first-come, first-served worker under Poisson arrivals, by Lindley's recursion."""
    import numpy as np

    from orchestrator.measure.samples import Outcome, Samples

    rng = np.random.default_rng(0)
    gaps = rng.exponential(SERVICE_S / UTILISATION, count)
    ahead = np.cumsum(SERVICE_S - gaps)
    wait = ahead - np.minimum(np.minimum.accumulate(ahead), 0)
    scheduled = np.cumsum(gaps)
    sent = scheduled + rng.exponential(1e-5, count)
    failed = rng.random(count) < 0.01
    return Samples(
        scheduled_s=scheduled,
        sent_s=sent,
        done_s=sent + wait + SERVICE_S,
        outcome=np.where(failed, Outcome.HTTP_ERROR, Outcome.OK).astype(np.uint8),
        status=np.where(failed, 503, 200).astype(np.int16),
        queue_s=wait,
        batch_wait_s=np.zeros(count),
        compute_s=np.full(count, SERVICE_S),
        batch_size=rng.integers(1, 9, count).astype(np.float64),
    )


def peak_mb():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def reduce_here(count):
    """One round in this process: seconds and additional megabytes."""
    from orchestrator.measure.verdict import verdicts
    from orchestrator.measure.windows import measure

    samples = waiting_line(count)
    window = (0.0, float(samples.scheduled_s[-1]))
    measure(samples.where(samples.scheduled_s < 1.0), (0.0, 1.0), LIMITS)  # the libraries' own first time
    before, started = peak_mb(), time.perf_counter()
    measurement = measure(samples, window, LIMITS)
    judged = verdicts(samples, window, LIMITS)
    seconds = time.perf_counter() - started
    assert measurement.requests == count - 1, "the window ends with the last request, which is not in it"
    assert len(measurement.intervals) > 15
    assert len(judged) == len(LIMITS)
    return {"seconds": seconds, "mb": peak_mb() - before}


def in_a_fresh_process(count):
    command = [sys.executable, str(Path(__file__).resolve()), "--samples", str(count), "--here"]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.here:
        print(json.dumps(reduce_here(arguments.samples)))
        return 0
    rounds = [in_a_fresh_process(arguments.samples) for _ in range(arguments.rounds)]
    print(f"{arguments.samples:,} samples to a measurement with intervals and verdicts, the worst of {len(rounds)}")
    missed = 0
    for what, key, unit, limit in (("time", "seconds", "s", LIMIT_S), ("additional memory", "mb", "MB", LIMIT_MB)):
        worst = max(one[key] for one in rounds)
        missed += worst > limit
        print(f"{what:18} {worst:8.2f} {unit:3} limit {limit:6g} {unit:3} {'FAIL' if worst > limit else 'PASS'}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
