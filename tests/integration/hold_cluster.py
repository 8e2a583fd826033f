"""Keeps a local cluster up until stdin closes; prints one line of JSON, a `Cluster`, when it is ready.

    python hold_cluster.py haproxy|proxy|nodes

A process of its own: a test process can be connected to one cluster only, and the cluster ends with its driver.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from orchestrator.cluster import Cluster, free_port, open_cluster


@contextmanager
def nodes() -> Iterator[Cluster]:
    """A head without trials and two nodes with a slot each, all on this host; placement is real, timings are not."""
    from ray.cluster_utils import Cluster as Nodes

    head = {"num_cpus": 0, "include_dashboard": True, "dashboard_port": free_port(8265)}
    cluster = Nodes(initialize_head=True, head_node_args=head)
    try:
        for _ in range(2):
            cluster.add_node(num_cpus=1, resources={"trial_slot": 1})
        cluster.wait_for_nodes()
        with open_cluster(cluster.address, None, None) as connected:
            yield connected
    finally:
        cluster.shutdown()


with os.fdopen(os.dup(1), "w") as stdout:
    os.dup2(2, 1)  # whatever Ray prints
    kind = sys.argv[1]
    with nodes() if kind == "nodes" else open_cluster(None, kind, None) as held:
        print(json.dumps(vars(held)), file=stdout, flush=True)
        sys.stdin.read()
