"""Are the figures right, and do the intervals hold what they promise? Measured against laws that are known exactly.

    python benchmarks/trust/ground_truth.py [--runs 50] [--together 4] [--law NAME] [--quick]

Open loop, Poisson arrivals. Asked of every law: averaged over the runs, mean, p50, p95 and p99 are within 3 % + 0.3
ms of the law; in at least 90 % of the runs the 95 % interval of a figure covers the law. The 0.3 ms are the way
through kernel and loopback and back, which the law leaves out and which can only add: an interval counts as
covering when it does so after moving down by up to that much; how many do without is shown beside it. Every run has
seeds of its own. A load that is not valid is repeated once, as in a study; how many are valid then is stated, and the
others are left out.

About 35 minutes: 50 runs of 20 s for six laws, on processors that are kept awake (awake.py). `--quick` takes 4 runs
and asks for the figures only.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Iterator
from itertools import product

from awake import processors_awake
from laws import Bimodal, Constant, Exponential, Law, OneWorker
from running import Load, load_as_trial, side_by_side, truth_server
from table import Line, at_least, show, within

FIGURES = ("mean", "p50", "p95", "p99")
SHARE, PATH_MS, COVERAGE, VALID = 0.03, 0.3, 0.9, 0.9
WARMUP_S, DURATION_S = 3, 20  # in the warm-up, the loads that start side by side leave the processor to each other
WORKERS = (OneWorker(5.0, 0.5), OneWorker(2.0, 0.7), OneWorker(2.0, 0.85))
FAR = 2.0
LAWS: dict[str, tuple[Law, float]] = {
    "constant": (Constant(100.0), 300.0),
    "exponential": (Exponential(1.0, 9.0), 400.0),
    "bimodal": (Bimodal(2.0, 20.0, 0.1), 300.0),
    **{f"M/D/1 at {worker.utilisation}": (worker, worker.rate_rps) for worker in WORKERS},
}


def run(task: tuple[int, str]) -> tuple[str, Load, dict[str, float]]:
    """One load on a server of its own; how late the server was comes with it."""
    number, name = task
    law, rate_rps = LAWS[name]
    with truth_server(law.arguments, "--seed", 1000 + number) as server:
        seen = load_as_trial(
            server.url, rate=rate_rps, arrivals="poisson", duration=DURATION_S, warmup=WARMUP_S, seed=number
        )
    return name, seen, server.lateness_ms


def judge(name: str, loads: list[Load], with_intervals: bool) -> list[Line]:
    law, _ = LAWS[name]
    valid = [seen for seen in loads if seen.valid]
    lines = [at_least(f"{name}: loads that are valid", len(valid), len(loads), VALID)]
    if not valid:
        return lines
    for figure in FIGURES:
        truth = law.mean_ms if figure == "mean" else law.percentile_ms(float(figure[1:]))
        figures = [seen.figure(f"latency_{figure}_ms") for seen in valid]
        average = statistics.fmean(seen.value for seen in figures)
        lines.append(within(f"{name}: {figure}", truth, average, SHARE, PATH_MS))
        if with_intervals:
            covering = sum(seen.holds(truth, PATH_MS) for seen in figures)
            plain = sum(seen.holds(truth) for seen in figures)
            line = at_least(f"{name}: intervals of {figure} that cover it", covering, len(figures), COVERAGE)
            lines.append(Line(line.subject, line.asked, f"{line.found} ({plain} as they are)", line.holds))
    return lines


def outliers(seen: list[tuple[str, Load, dict[str, float]]]) -> Iterator[str]:
    """Valid loads that are far off by themselves, in words: something happened there."""
    for name, one, late in seen:
        law, _ = LAWS[name]
        if one.valid and one["latency_mean_ms"] > FAR * law.mean_ms:
            yield (
                f"far off: {name}, mean {one['latency_mean_ms']:.0f} ms, p99 {one['latency_p99_ms']:.0f} ms; the "
                f"server's answers left up to {late['late_max_ms']:.0f} ms late, requests up to "
                f"{one['send_lag_p99_ms']:.1f} ms (p99); errors {one['error_ratio']:.2%}"
            )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=50)
    parser.add_argument("--together", type=int, default=4, help="loads at a time")
    parser.add_argument("--law", choices=LAWS, action="append", help="only this one; may be repeated")
    parser.add_argument("--quick", action="store_true", help="4 runs, which say nothing about the intervals")
    options = parser.parse_args()

    names = options.law or list(LAWS)
    runs = 4 if options.quick else options.runs
    with processors_awake():
        seen = side_by_side(run, product(range(runs), names), options.together)
    late = {figure: statistics.median(one[f"late_{figure}_ms"] for _, _, one in seen) for figure in ("mean", "p99")}
    print(f"the servers' answers left late: mean {late['mean']:.3f} ms, p99 {late['p99']:.2f} ms (medians of the runs)")
    print("\n".join(outliers(seen)))
    reasons = sorted({document.reasons for _, document, _ in seen if not document.valid})
    print("\n".join(f"not valid: {reason}" for reason in reasons))
    lines = [
        line
        for name in names
        for line in judge(name, [document for of, document, _ in seen if of == name], not options.quick)
    ]
    show(lines)


if __name__ == "__main__":
    main()
