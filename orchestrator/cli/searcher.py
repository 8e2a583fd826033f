"""The searcher of a study, put together: an algorithm, the rules that prune, and the confirmation after it."""

from __future__ import annotations

import math
import time
from typing import Any

from orchestrator.cli.plan import StudyPlan, observations
from orchestrator.cluster import Cluster
from orchestrator.experiment import Experiment, configured
from orchestrator.expert import first_guesses
from orchestrator.pruning import Node, Pruning
from orchestrator.result import Configuration
from orchestrator.search import ConfirmingSearch, make_searcher
from orchestrator.serve_config import in_place


def searcher_of(plan: StudyPlan, cluster: Cluster, parallel: int) -> ConfirmingSearch:
    """What the plan asks for, on the nodes of `cluster`, `parallel` trials at a time; its budget begins now."""
    experiment = plan.experiment
    budget = experiment.search.budget
    end = None if budget is None else time.monotonic() + budget
    search = make_searcher(
        space=experiment.space,
        algorithm=experiment.search.algorithm,
        seed=experiment.search.seed,
        trials=experiment.search.trials,
        baseline=experiment.baseline(),
        maximize=[objective.maximize for objective in experiment.objectives],
        parallel=parallel,
        is_over=lambda: end is not None and time.monotonic() >= end,
        least_gain=experiment.measure.precision if experiment.search.stop_early else None,
        **(_of_jobs(experiment) if experiment.is_offline else _of_serving(experiment, cluster)),
        **experiment.search.settings(),
    )
    if plan.warm_start is not None:
        search.inform((configuration, told) for _, configuration, told in observations(plan.warm_start))
    confirm = experiment.confirm
    maximize = experiment.objective.maximize
    searcher = ConfirmingSearch(search, maximize, confirm.top, confirm.replications, confirm.most, experiment.across)
    if plan.resumed is not None:
        searcher.replay(observations(plan.resumed))
    return searcher


def _of_serving(experiment: Experiment, cluster: Cluster) -> dict[str, Any]:
    """What Serve's rules say of configurations, and what somebody who knows them would try first."""
    node = Node.largest_of(cluster.trial_resources) if cluster.trial_resources else None
    rules = Pruning(experiment, node, cluster.data_plane)

    def reachable(before: Configuration, after: Configuration) -> bool:
        return in_place(configured(experiment, before).app, configured(experiment, after).app)

    return {
        "prune": rules.prune,
        "canonical": rules.canonical,
        "in_place": reachable,
        "guesses": first_guesses(experiment, node.resources.get("CPU", math.nan) if node else math.nan),
    }


def _of_jobs(experiment: Experiment) -> dict[str, Any]:
    """No rules: nobody knows what the arguments of a job mean."""
    return {"interleaved": True} if experiment.search.algorithm == "grid" else {}
