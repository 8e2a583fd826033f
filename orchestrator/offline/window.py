"""The steps of one job: the cold start, the warm-up, and the window that counts."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from orchestrator.errors import InfeasibleError
from orchestrator.experiment import Experiment, MeasurePlan
from orchestrator.measure.needed import fewest
from orchestrator.measure.percentile import percent_of
from orchestrator.measure.race import Rival
from orchestrator.measure.samples import Samples, Window
from orchestrator.measure.steady import drift
from orchestrator.measure.steps import FEWEST, Steps, are_steady, is_beaten, is_precise
from orchestrator.measure.stopping import LOOK_GROWTH
from orchestrator.measure.validity import Circumstances, invalid_reasons
from orchestrator.measure.verdict import CONFIDENCE
from orchestrator.offline.bench import Bench

SHORTEST_LOOK_S = 0.1
"""Between two looks at the steps: less would cost as much as a quick step takes."""


@dataclass(frozen=True)
class Cold:
    """What came before everything is warm."""

    build_s: float
    first_step_ms: float

    def figures(self) -> dict[str, float]:
        """By name."""
        return {"build_s": self.build_s, "first_step_ms": self.first_step_ms}


@dataclass(frozen=True)
class Seen:
    """One window of steps, those of the warm-up before it, and why it is not to be trusted, if so.

    `beaten`: it ended early, as worse than the rival for certain.
    """

    warm_up: Steps
    steps: Steps
    machine: Mapping[str, float]
    invalid: tuple[str, ...]
    beaten: bool = False
    repeated: tuple[str, ...] = ()

    @property
    def samples(self) -> Samples:
        """All steps, the warm-up's too; times count from the first of the window."""
        origin_s = self.steps.window[0]
        return Samples.concat([self.warm_up.samples(origin_s), self.steps.samples(origin_s)])

    @property
    def window(self) -> Window:
        """What counts of the samples."""
        start, end = self.steps.window
        return 0.0, end - start


def start_up(bench: Bench, timeout_s: float, on_phase: Callable[[str], None]) -> Cold:
    """Builds the job and has it do its first step; InfeasibleError where both take longer than `timeout_s`."""
    on_phase("build")
    try:
        build_s = bench.build(timeout_s)
    except TimeoutError:
        raise InfeasibleError(f"the job was not built within deploy_timeout_s, {timeout_s:g} s") from None
    try:
        first = bench.steps(0.0, max(0.0, timeout_s - build_s))
    except TimeoutError:
        raise InfeasibleError(
            f"its first step did not end within deploy_timeout_s: building took {build_s:.1f} of {timeout_s:g} s"
        ) from None
    return Cold(build_s, float(first.times_ms[0]))


def observe_steps(
    bench: Bench, experiment: Experiment, on_phase: Callable[[str], None], rival: Rival | None = None
) -> Seen:
    """Warms up and measures; a second time, and then for good, if the first window cannot be trusted.

    What `rival` beats for certain is not measured to the end. InfeasibleError: steps are too slow to be measured.
    """
    measure = experiment.measure
    try:
        on_phase("warm-up")
        warm_up = _warmed_up(bench, measure)
        on_phase("measure")
        seen = _measured(bench, warm_up, experiment, rival)
        if seen.invalid and measure.validity == "strict":
            seen = replace(_measured(bench, warm_up, experiment, rival), repeated=seen.invalid)
    except TimeoutError:
        raise InfeasibleError(
            f"a step did not end within measure.max_s, {measure.max_s:g} s, and {FEWEST} have to fit into that"
        ) from None
    return seen


def _warmed_up(bench: Bench, measure: MeasurePlan) -> Steps:
    """Steps until they are steady; InfeasibleError when they are too slow to be measured."""
    steps = bench.steps(measure.warmup_s, measure.max_s)
    while steps.total_s < measure.warmup_max_s and not are_steady(steps.times_ms):
        more_s = max(SHORTEST_LOOK_S, (LOOK_GROWTH - 1) * steps.total_s)
        steps = steps.then(bench.steps(min(more_s, measure.warmup_max_s - steps.total_s), measure.max_s))
    step_s = float(steps.times_ms[-FEWEST:].min()) / 1e3  # a single slow one may be chance
    if FEWEST * step_s > measure.max_s:
        raise InfeasibleError(
            f"a step takes {step_s:.3g} s, and {FEWEST}, which are the least, do not fit into measure.max_s, "
            f"{measure.max_s:g} s"
        )
    return steps


def _measured(bench: Bench, warm_up: Steps, experiment: Experiment, rival: Rival | None) -> Seen:
    measure, objective, asked = experiment.measure, experiment.objective.metric, asked_figures(experiment)
    confidence, needed = _look_confidence(measure), fewest(asked, FEWEST)
    steps = bench.steps(measure.min_s, measure.max_s)
    while not (beaten := rival is not None and is_beaten(steps, objective, rival, confidence)):
        if _enough(steps, measure, objective, needed):
            break
        more_s = max(SHORTEST_LOOK_S, (LOOK_GROWTH - 1) * steps.total_s, measure.min_s - steps.total_s)
        steps = steps.then(bench.steps(min(more_s, max(0.0, measure.max_s - steps.total_s)), measure.max_s))
    machine = bench.use(steps.window)
    return Seen(warm_up, steps, machine, _invalid(steps, machine, () if beaten else asked), beaten)


def _look_confidence(measure: MeasurePlan) -> float:
    """Of one look, so that 99 % hold over all that fit into the window (Bonferroni)."""
    looks = 1 + math.floor(math.log(measure.max_s / measure.min_s) / math.log(LOOK_GROWTH))
    return 1 - (1 - CONFIDENCE) / looks


def _enough(steps: Steps, measure: MeasurePlan, objective: str, needed: int) -> bool:
    """Whether the objective is known from as many steps as are needed, or no further one is to be expected in time."""
    if len(steps) < FEWEST or steps.total_s < measure.min_s:
        return False
    if steps.total_s + steps.total_s / len(steps) > measure.max_s:
        return True
    return len(steps) >= needed and is_precise(steps, objective, measure.precision)


def asked_figures(experiment: Experiment) -> tuple[str, ...]:
    """The figures that the objectives and the SLO are about."""
    return (*(objective.metric for objective in experiment.objectives), *experiment.slo.limits())


def _invalid(steps: Steps, machine: Mapping[str, float], asked: tuple[str, ...]) -> tuple[str, ...]:
    start, end = steps.window
    return invalid_reasons(
        Circumstances(
            successes=len(steps),
            duration_s=steps.total_s,
            percentiles=tuple(percent for figure in asked if (percent := percent_of(figure)) is not None),
            throughput_drift=drift(steps.samples(start), (0.0, end - start)),
            machine_busy_share=machine.get("machine_busy_share", math.nan),
            steal_share=machine.get("steal_share", math.nan),
            others_cpu_share=machine.get("others_cpu_share", math.nan),
            fewest=FEWEST,
            what="steps",
        )
    )
