"""Our values as MLflow's params, metrics and tags, within its limits; the names of the tags we look for."""

from __future__ import annotations

import getpass
import json
import math
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from orchestrator.document import metrics, to_json
from orchestrator.result import Configuration, StudyResult, TrialResult
from orchestrator.several import Several

if TYPE_CHECKING:
    from mlflow import MlflowClient

KIND = "kind"  # tells our runs from others in the same MLflow experiment
STUDY = "study"
TRIAL = "trial"
COMPARISON = "comparison"  # of the studies of several workloads
SUPERSEDED = "superseded"  # a replication of a study that was gone on with since
FILE = "experiment_file"
SEARCH = "search"
WARM_START = "warm_start"  # id of the study that this one learned from
WORKLOAD = "workload"  # of the several in the experiment's file
ACROSS = "across"  # the knob for all of whose values one configuration is to be found
QUICK = "quick"  # "true" of a first look
NOTE = "mlflow.note.content"  # MLflow's own name: its page shows it as the run's description
REPLICATION = "replication"
EXPERIMENT_TAGS = {"mlflow.experimentKind": "custom_model_development"}
"""Has the MLflow UI open an experiment with runs and metrics in front, not with pages for language models."""

TRIALS = "trials"  # how many, of a study that has ended; it has their records in one file then
PRUNED = "pruned"  # JSON, as is the next one
FURTHER = "further_objectives"
"""As JSON, in the form of the experiment file; absent where there is one objective alone."""

PARENT = "mlflow.parentRunId"  # MLflow's own name: its page folds the trials under their study

# MLflow's limits (mlflow/utils/validation.py). It would cut values by itself, unless the user forbade it.
_MAX_PARAM, _MAX_TAG, _MAX_KEY, _MAX_BATCH = 6000, 5000, 250, 100


def text(value: Any) -> str:
    """A value as it stands in a param or tag: a string as it is, anything else as JSON."""
    return value if isinstance(value, str) else json.dumps(to_json(value), ensure_ascii=False)


def who() -> dict[str, str]:
    """The tags by which MLflow's page says who made a run, and with what."""
    try:
        user = getpass.getuser()
    except (OSError, KeyError):  # a container's user id without a name
        user = "unknown"
    return {"mlflow.user": user, "mlflow.source.name": "orchestrator"}


def tags(values: Mapping[str, Any]) -> dict[str, str]:
    """Name -> text, cut to MLflow's length; None left out."""
    return {name: _cut(text(value), _MAX_TAG) for name, value in values.items() if value is not None}


def flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """{"git": {"commit": "1f3"}} as {"git.commit": "1f3"}."""
    leaves: dict[str, Any] = {}
    for name, value in values.items():
        inner = flat(value, f"{prefix}{name}.") if isinstance(value, Mapping) else {f"{prefix}{name}": value}
        leaves.update(inner)
    return leaves


def trial_tags(result: TrialResult) -> dict[str, Any]:
    """How a trial ended, why, whether the SLO holds, and what limits it; None for what is not known."""
    return {
        "status": str(result.status),
        "reasons": "\n".join(result.reasons) or None,
        "verdict": result.verdict.value if result.verdict else None,
        **{f"slo.{limit}": verdict.value for limit, verdict in result.verdicts.items()},
        "explanation": result.explanation or None,
        "replication": result.replication,
    }


def trial_metrics(result: TrialResult) -> dict[str, float]:
    """The figures of a trial; `score` and `violation` where it was scored."""
    scored = {"score": result.score.value, "violation": result.score.violation} if result.score else {}
    return {**metrics(result), **scored, "wall_s": result.wall_s}


def study_metrics(study: StudyResult) -> dict[str, float]:
    """The best trial's figures as best_*, and what it gained over the baseline, with its interval, as gain_*.

    With `across` also what is lost by one configuration for all, as regret_*.
    """
    best = trial_metrics(study.best) if study.best else {}
    gains: dict[str, float] = {}
    for name, ratio in study.gain.items():
        gains |= {f"gain_{name}": ratio.value, f"gain_{name}_lo": ratio.lo, f"gain_{name}_hi": ratio.hi}
    return {**{f"best_{name}": value for name, value in best.items()}, **gains, **_regret(study)}


def _regret(study: StudyResult) -> dict[str, float]:
    """What the configuration for all values of a knob loses to the best of each."""
    robust = study.compromise.robust if study.compromise else None
    return {"regret_mean": robust.mean_regret, "regret_worst": robust.worst_regret} if robust else {}


def comparison_metrics(several: Several) -> dict[str, float]:
    """By workload what its winner gained, as `gain_over_baseline.few` with its interval; what is recommended loses."""
    figures: dict[str, float] = {}
    for workload, one in several.searched.items():
        for name, over in (("baseline", several.baseline), ("random", one.best_of_random)):
            if ratio := several.gain(workload, over):
                key = f"gain_over_{name}.{workload}"
                figures |= {key: ratio.value, f"{key}_lo": ratio.lo, f"{key}_hi": ratio.hi}
    if robust := several.robust:
        figures |= {"regret_mean": robust.mean_regret, "regret_worst": robust.worst_regret}
    return figures


def log(
    client: MlflowClient,
    run_id: str,
    timestamp_ms: int,
    params: Configuration | None = None,
    metrics: Mapping[str, float] | None = None,
    tags: Mapping[str, str] | None = None,
) -> None:
    """Params, metrics and tags in one request (more only beyond MLflow's 100 params a request).

    Numbers that are not finite are left out: a database has no word for them.
    """
    from mlflow.entities import Metric, Param, RunTag

    rows = [Param(_key(name), _cut(text(value), _MAX_PARAM)) for name, value in (params or {}).items()]
    figures = [
        Metric(name, float(value), timestamp_ms, 0) for name, value in (metrics or {}).items() if math.isfinite(value)
    ]
    labels = [RunTag(name, value) for name, value in (tags or {}).items()]
    client.log_batch(run_id, metrics=figures, params=rows[:_MAX_BATCH], tags=labels)
    for start in range(_MAX_BATCH, len(rows), _MAX_BATCH):
        client.log_batch(run_id, params=rows[start : start + _MAX_BATCH])


def _key(path: str) -> str:
    """A knob's path as a param name: MLflow takes letters, digits, `_-. :/`, and nothing like a file path."""
    return re.sub(r"[^\w.\- :]", "_", path)[:_MAX_KEY]


def _cut(value: str, limit: int) -> str:
    return value if len(value) <= limit else value[: limit - 1] + "…"
