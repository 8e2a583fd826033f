"""The searcher of a study, put together: an algorithm, the rules that prune, and the confirmation after it."""

from __future__ import annotations

from orchestrator.cluster import Cluster
from orchestrator.experiment import Experiment
from orchestrator.pruning import Node, Pruning
from orchestrator.result import Configuration
from orchestrator.search import ConfirmingSearch, StudySearcher, make_searcher
from orchestrator.serve_config import in_place, merge


def search_of(experiment: Experiment, cluster: Cluster, parallel: int) -> StudySearcher:
    """What `experiment.search` asks for, on the nodes of `cluster`, `parallel` trials at a time."""
    node = Node.largest_of(cluster.trial_resources) if cluster.trial_resources else None
    rules = Pruning(experiment, node, cluster.data_plane)

    def reachable(before: Configuration, after: Configuration) -> bool:
        return in_place(merge(experiment.app, before), merge(experiment.app, after))

    return make_searcher(
        space=experiment.space,
        algorithm=experiment.search.algorithm,
        seed=experiment.search.seed,
        trials=experiment.search.trials,
        baseline=experiment.baseline(),
        maximize=[objective.maximize for objective in experiment.objectives],
        parallel=parallel,
        prune=rules.prune,
        canonical=rules.canonical,
        in_place=reachable,
        **experiment.search.settings(),
    )


def confirming(search: StudySearcher, experiment: Experiment) -> ConfirmingSearch:
    """The search, and after it the replications of its best trials."""
    plan = experiment.confirm
    return ConfirmingSearch(search, experiment.objective.maximize, plan.top, plan.replications)
