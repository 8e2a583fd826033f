"""Which method tells from few trials which knobs mattered: ours, or functional ANOVA?

    python benchmarks/importance.py [--seeds 10] [--json]

Two made-up surfaces, each with two knobs that do nothing; 7 % of noise; trials drawn at random or, as a search does,
mostly near the best so far. A method is right when it puts first the knob with the largest total index of Sobol, which
is computed beforehand, and wrong when it gives a tenth of all importance to a knob that does nothing. Ours is
`orchestrator.insight.sensitivity`. Functional ANOVA is Optuna's `FanovaImportanceEvaluator` (F. Hutter, H. Hoos and
K. Leyton-Brown, ICML 2014), asked of the knobs that all trials have, for it takes no others; needs the extra `optuna`.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections import defaultdict

import numpy as np
import optuna
from optuna.distributions import FloatDistribution
from optuna.importance import FanovaImportanceEvaluator

from orchestrator.insight.sensitivity import sensitivity
from orchestrator.insight.table import tabulate
from orchestrator.measure.measurement import Measurement
from orchestrator.result import Score, Status, StudyResult, TrialResult
from orchestrator.space import Space, parse_knob

NOISE, MISLEADING = 0.07, 0.1
TRIALS = (10, 15, 20, 40, 60)

BATCHING = {
    "batch": {"choice": [1, 2, 4, 8, 16, 32, 64]},
    "wait": {"loguniform": [0.0001, 0.02]},
    "replicas": {"randint": [1, 2]},
}
IDLE = {"idle": {"uniform": [0, 1]}, "void": {"choice": [1, 2, 3, 4]}}
SPACES = {
    "batching": BATCHING | IDLE,
    "conditional": {"mode": {"condition": {"plain": {}, "batched": BATCHING}}} | IDLE,
}


def rate(one):
    """Requests per second of 32 clients: a plateau from batch 16 on, and a cliff where batches wait to be filled."""
    if one.get("mode") == "plain":
        return 900.0
    fill = min(one["batch"], 32 / one["replicas"])
    waiting = one["wait"] / fill if one["batch"] > fill else 0.0
    return one["replicas"] ** 0.2 / (0.25e-3 + 0.55e-3 / fill + waiting)


def trial(number, configuration, rng):
    figure = rate(configuration) * math.exp(rng.normal(0, NOISE))
    measurement = Measurement.from_metrics({"throughput_rps": figure, "requests": 1})
    return TrialResult(number, configuration, Status.COMPLETE, measurement=measurement, score=Score(figure, 0.0))


def study(space, labels, count, searching, seed):
    """A quarter of the trials of a search is drawn at random, the others in the neighbourhood of its best quarter."""
    rng = np.random.default_rng(seed)
    units, trials = [], []
    for number in range(count):
        unit = {label: rng.random() for label in labels}
        if searching and number >= max(3, count / 4):
            ranked = sorted(range(number), key=lambda index: -trials[index].score.value)
            near = units[rng.choice(ranked[: max(1, number // 4)])]
            unit = {
                k: u if rng.random() < 0.2 else np.clip(near[k] + rng.normal(0, 0.12), 0, 1) for k, u in unit.items()
            }
        units.append(unit)
        trials.append(trial(number, space.configure(unit.__getitem__), rng))
    return StudyResult("", "", "", seed, True, "throughput_rps", tuple(trials))


def total_indices(space, labels, draws=3000):
    """Of the logarithm of the rate: how much goes with drawing this knob anew while all others are kept."""
    rng = np.random.default_rng(0)
    base = {label: rng.random(draws) for label in labels}

    def figures(units):
        each = [{label: column[row] for label, column in units.items()} for row in range(draws)]
        return np.log([rate(space.configure(unit.__getitem__)) for unit in each])

    here = figures(base)
    anew = {label: figures(base | {label: rng.random(draws)}) for label in labels}
    return {label: float(np.mean((there - here) ** 2) / 2 / here.var()) for label, there in anew.items()}


def by_ours(found, space):
    told = sensitivity(found, space)
    return {one.column.label: 0.0 if math.isnan(one.share) else one.share for one in told.importances}, not told.doubt


def by_fanova(found, space):
    table = tabulate(found.trials, space)
    common = [index for index in range(len(table.columns)) if not np.isnan(table.units[:, index]).any()]
    names = [table.columns[index].label for index in common]
    asked = optuna.create_study()
    for row, one in zip(table.units[:, common], table.trials, strict=True):
        ranges = dict.fromkeys(names, FloatDistribution(0, 1))
        params = dict(zip(names, map(float, row), strict=True))
        asked.add_trial(optuna.trial.create_trial(params=params, distributions=ranges, value=math.log(one.score.value)))
    return FanovaImportanceEvaluator(seed=0).evaluate(asked, params=names), True


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=10, help="studies of each kind")
    parser.add_argument("--json", action="store_true", help="print one JSON object at the end")
    arguments = parser.parse_args()
    optuna.logging.set_verbosity(optuna.logging.ERROR)

    rows = defaultdict(list)
    for knobs in SPACES.values():
        space = Space(knobs={path: parse_knob(knob) for path, knob in knobs.items()})
        rng = np.random.default_rng(0)
        labels = [c.label for c in tabulate([trial(n, space.sample(rng), rng) for n in range(50)], space).columns]
        truth = total_indices(space, labels)
        print({label: round(index, 2) for label, index in truth.items()})
        for count in TRIALS:
            for seed in range(arguments.seeds):
                found = study(space, labels, count, searching=bool(seed % 2), seed=seed)
                for name, method in (("ours", by_ours), ("functional ANOVA", by_fanova)):
                    started = time.process_time()
                    shares, told = method(found, space)
                    largest = max(shares, key=shares.get)
                    total = sum(max(share, 0.0) for share in shares.values())
                    misled = any(shares[knob] > MISLEADING * total for knob in IDLE)
                    right = truth[largest] == max(truth[label] for label in shares)
                    rows[count, name].append((told, right, misled, time.process_time() - started))

    print(f"\n{'trials':>6}  {'method':<18}{'tells':>7}{'right':>7}{'misled':>8}{'CPU, s':>8}")
    document = []
    for (count, name), seen in sorted(rows.items()):
        told = [row for row in seen if row[0]]
        right, misled = (float(np.mean([row[place] for row in told])) if told else math.nan for place in (1, 2))
        cpu = float(np.median([row[3] for row in seen]))
        print(f"{count:6}  {name:<18}{len(told) / len(seen):7.0%}{right:7.0%}{misled:8.0%}{cpu:8.2f}")
        document.append(
            {"trials": count, "method": name, "tells": len(told) / len(seen), "right": right, "misled": misled}
        )
    if arguments.json:
        print(json.dumps(document))


if __name__ == "__main__":
    main()
