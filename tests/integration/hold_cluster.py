"""Keeps a local cluster up until stdin closes; prints one line of JSON when it is ready.

A process of its own: a test process can be connected to one cluster only, and the cluster ends with its driver.
"""

from __future__ import annotations

import json
import os
import sys

from orchestrator.cluster import open_cluster

with os.fdopen(os.dup(1), "w") as stdout:
    os.dup2(2, 1)
    with open_cluster(None, sys.argv[1], None) as cluster:
        print(json.dumps(vars(cluster)), file=stdout, flush=True)
        sys.stdin.read()
