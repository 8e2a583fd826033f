"""The study as it goes: a live display in a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable
from types import TracebackType

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from orchestrator.document import metrics
from orchestrator.experiment import Experiment, replications
from orchestrator.names import describe, duration, figure, headline, short_names, spread
from orchestrator.result import BASELINE, Configuration, Status, TrialResult

REFRESH_HZ = 2
"""Of what moves on the screen. Slow on purpose: it shares its cores with what is being measured."""

_STYLES = {
    Status.COMPLETE: "green",
    Status.INFEASIBLE: "yellow",
    Status.INVALID: "magenta",
    Status.FAILED: "red",
}

PHASES = {
    "calibrate": "measuring an application that does nothing",
    "deploy": "deploying",
    "start": "starting a process",
    "prepare": "preparing what is done once",
    "build": "building the job",
    "warm-up": "warming up",
    "measure": "measuring",
    "drain": "waiting for the last answers",
}
"""What a trial is doing, in the words of the display."""

Phases = Callable[[], dict[int, tuple[str, float]]]


class StudyDisplay:
    """Observes a study. Each trial leaves one line; below them, in a terminal, what is going on right now."""

    def __init__(
        self, console: Console, experiment: Experiment, before: int = 0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._console = console
        self._clock = clock
        self.begin(experiment, before)
        self._doing = "starting"
        self._phases: Phases = dict
        self._live = Live(
            get_renderable=self._render,
            console=console,
            refresh_per_second=REFRESH_HZ,
            transient=True,
            redirect_stdout=False,  # they go to the log file; on the screen they would stay
            redirect_stderr=False,
        )

    def begin(self, experiment: Experiment, before: int = 0, again: str = "") -> None:
        """Another study from now on; `before` is how many trials it has already, its baseline included.

        `again` is said when replications begin, unless they are to confirm the winner.
        """
        self._again = again
        self._experiment = experiment
        self._before = before
        self._names = short_names(experiment.space.paths())
        self._total = experiment.search.trials + 1
        self._replications = replications(experiment)
        self._longest_s = {"warm-up": experiment.measure.warmup_max_s, "measure": experiment.measure.max_s}
        self._running: dict[int, tuple[str, Configuration]] = {}
        self._finished = 0
        self._replicated = 0
        self._confirming = False
        self._incumbent: TrialResult | None = None
        self._first_start: float | None = None

    def __enter__(self) -> StudyDisplay:
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self._live.stop()

    def doing(self, what: str) -> None:
        """What happens outside of trials: "starting a Ray cluster"."""
        self._doing = what
        if not self._console.is_terminal:
            self._console.print(f"{what} …")

    def watch(self, phases: Phases) -> None:
        """Where the phases of running trials are to be had, as {number: (phase, seconds)}."""
        self._phases = phases

    def study_started(self, study_id: str) -> None:
        """See `orchestrator.study.Observer`."""
        search = self._experiment.search
        self._console.print(
            f"study [bold]{study_id[:8]}[/]: {self._experiment.title}, baseline + {search.trials} trials by "
            f"{search.algorithm}, seed {search.seed}",
            highlight=False,
            soft_wrap=True,
        )

    def trial_started(self, number: int, configuration: Configuration, confirms: int | None = None) -> None:
        """See `orchestrator.study.Observer`."""
        if self._first_start is None:
            self._first_start = self._clock()
        if confirms is not None and not self._confirming:
            self._confirming = True
            self._console.print(self._again or self._confirmation())
        self._running[number] = (trial_label(number, self._total, confirms), configuration)

    def trial_finished(self, result: TrialResult, incumbent: TrialResult | None) -> None:
        """See `orchestrator.study.Observer`."""
        self._running.pop(result.number, None)
        if result.confirms is None:
            self._finished += 1
        else:
            self._replicated += 1
        leads = incumbent is not None and incumbent.number == result.number
        self._incumbent = incumbent
        self._console.print(self._line(result, leads), soft_wrap=True)

    def _confirmation(self) -> str:
        who = "the best trials and the baseline" if self._experiment.across is None else "the best compromises"
        how = "run" if self._experiment.is_offline else "deployed"
        return f"confirming the winner: {who}, {how} afresh in turn"

    def _line(self, result: TrialResult, leads: bool) -> Text:
        line = Text(f"{trial_label(result.number, self._total, result.confirms):>8}  ")
        line.append(f"{result.status.value:<10}", style=_STYLES[result.status])
        if result.status is Status.COMPLETE:
            line.append(f" {figures(result):<33}")
        if leads:
            line.append(" best so far", style="bold green")
        elif result.status is Status.COMPLETE and result.score is not None:
            word = "over SLO" if not result.score.feasible else "" if result.score.shown else "undecided"
            line.append(f" {word:<11}", style="yellow")
        configuration = describe(result.configuration, self._names)
        fits = len(line) + 2 + len(configuration) <= self._console.width
        line.append(("  " if fits else f"\n{'':10}") + configuration, style="dim")
        for reason in result.reasons:
            line.append(f"\n{'':10}{reason}", style="italic")
        return line

    def _render(self) -> Group:
        rows = Table.grid(padding=(0, 1))
        phases = self._safe_phases()
        for number, (label, configuration) in self._running.items():
            phase, seconds = phases.get(number, ("starting", 0.0))
            longest_s = self._longest_s.get(phase)
            bar = ProgressBar(
                total=longest_s or 1, completed=min(seconds, longest_s or 0), width=24, pulse=longest_s is None
            )
            rows.add_row(
                label,
                Text(PHASES.get(phase, phase), style="cyan"),
                bar,
                f"{seconds:4.1f} s" + (f" of ≤ {longest_s:g} s" if longest_s else ""),
                Text(describe(configuration, self._names), style="dim"),
            )
        if not self._running:
            rows.add_row(Text(f"{self._doing} …", style="cyan"))
        return Group(rows, self._footer())

    def _footer(self) -> Text:
        best = f"best so far: {figures(self._incumbent)}" if self._incumbent else "nothing within the SLO yet"
        done = f"{max(0, self._before + self._finished - 1)}/{self._total - 1} trials"
        if self._confirming:
            done = f"{self._replicated}/{max(self._replicated, self._replications)} replications"
        return Text(f"{done} · {best} · {self._eta()}", style="bold")

    def _eta(self) -> str:
        if self._first_start is None or not self._finished:
            return "time left: not known yet"
        ended = self._finished + self._replicated
        per_trial = (self._clock() - self._first_start) / ended
        left = self._total + self._replications - self._before - ended
        return f"about {duration(per_trial * max(0, left))} left"

    def _safe_phases(self) -> dict[int, tuple[str, float]]:
        try:
            return self._phases()
        except Exception:  # a display must not end a study: the cluster may be going away
            return {}


def trial_label(number: int, total: int, confirms: int | None = None) -> str:
    """ "baseline" or "7/20", for the baseline is not one of the searcher's trials; "7 again" of a replication."""
    if confirms is not None:
        return f"{'baseline' if confirms == BASELINE else confirms} again"
    return "baseline" if number == BASELINE else f"{number}/{total - 1}"


def figures(result: TrialResult) -> str:
    """The two figures everybody looks for."""
    values = metrics(result)
    told = headline(result)
    return ", ".join(
        f"{words}{figure(values.get(name), f' {unit}')}{spread(values, name)}" for words, name, unit in told
    )
