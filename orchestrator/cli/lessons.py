"""What a study teaches beside its winner: the page of figures, kept with the study, and its sentences."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

from orchestrator.cli.across import verdict
from orchestrator.cli.batches import batches_table
from orchestrator.cli.confirmation import gain_text, recommendation
from orchestrator.document import metrics
from orchestrator.errors import ExperimentError, UsageError
from orchestrator.experiment import Experiment, read_experiment
from orchestrator.figures import PAGE, study_figures
from orchestrator.insight import Insight, insight_of
from orchestrator.names import describe, figure, headline, short_names, trial_name
from orchestrator.result import StudyResult
from orchestrator.tracking.port import Tracker


def draw_lessons(study: StudyResult, experiment: Experiment, random_trials: int, tracker: Tracker) -> Insight:
    """Draws the figures of a study that has ended, keeps them in the tracker, and returns what they are made of."""
    insight = insight_of(study, experiment.space, random_trials)
    pages = study_figures(insight, experiment.slo.limits(), study.pruned)
    tracker.add_pages(study.study_id, pages, description(insight))
    return insight


def sentences(insight: Insight) -> list[str]:
    """What the trials say beside which of them is best."""
    flat = [insight.flat.sentence] if insight.flat is not None else []
    return [insight.sensitivity.sentence, *flat]


def recalled(study: StudyResult, tracker: Tracker) -> Insight | None:
    """What a study of the store has taught; None where its experiment cannot be read back, as of earlier releases."""
    try:
        origin = tracker.origin(study.study_id)
        space = read_experiment(origin.text, origin.file).space
    except (UsageError, ExperimentError):
        return None
    return insight_of(study, space, random_trials=0)  # the sentences do not tell how a trial was chosen


def print_lessons(console: Console, insight: Insight) -> None:
    """The sentences, and of a job which size of a batch suffices."""
    if insight.batches:
        console.print()
        console.print(batches_table(insight.batches))
    console.print()
    for sentence in sentences(insight):
        console.print(f"  {sentence}", highlight=False, markup=False)


def description(insight: Insight) -> str:
    """The study's outcome as Markdown, for the head of its page in MLflow."""
    lines = [_winner(insight.study), *sentences(insight), f"Figures: `{PAGE}` among the artifacts."]
    return "\n\n".join(line for line in lines if line)


def _winner(study: StudyResult) -> str:
    if (found := study.compromise) is not None:
        return Text.from_markup(verdict(found)).plain.strip()
    best = study.best
    if best is None or best.measurement is None:
        return "**No winner.** No trial kept the SLO."
    values = metrics(best)
    figures = (f"{words}{figure(values.get(name), f' {unit}')}" for words, name, unit in headline(best))
    told = (
        f"**Winner: {trial_name(best.number)}**, `{describe(best.configuration, short_names(best.configuration))}`: "
        f"{', '.join(figures)}"
    )
    return "\n\n".join([told, *gain_text(study).splitlines(), *recommendation(study).splitlines()])
