"""Replicas that die while they start, in the words of Serve and Ray 2.60: what a trial is told."""

from types import SimpleNamespace

import pytest

from orchestrator.errors import DeploymentFailedError, InfeasibleError, ReplicaDiedError
from orchestrator.serving.state import readiness

FAILED = (
    "The deployment failed to start 1 times in a row. This may be due to a problem with its constructor or initial "
    "health check failing. See controller logs for details. Error:\n"
)
EVICTED = (
    "OutOfMemoryError('1 worker(s) were killed due to the node running low on memory. Memory on the node (IP: 10.0.0.2,"
    " ID: 95d18359) was 22.37GB used / 23.54GB limit (0.950297)\\nOOM kill reason: the memory threshold was exceeded\\n"
    "Object store memory usage: [...]\\nRay killed 1 worker(s) based on the killing policy\\n')"
)
REFUSED = 'ray::Replica()\n  File "app.py", line 3, in __init__\nMemoryError: Unable to allocate 30. GiB'
OF_NUMPY = "ray::Replica()\nnumpy._core._exceptions._ArrayMemoryError: Unable to allocate 30. GiB for an array"
OF_TORCH = "ray::Replica()\ntorch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB"
RAISED = "ray::Replica()\nValueError: no such model"


def failed(error):
    deployment = SimpleNamespace(status="DEPLOY_FAILED", message=FAILED + error)
    application = SimpleNamespace(
        status="DEPLOY_FAILED",
        message="Failed to update the deployments ['Model'].",
        deployments={"Model": deployment},
    )
    return readiness(application).failure()


@pytest.mark.parametrize(
    ("error", "kind", "says"),
    [
        pytest.param(
            EVICTED,
            InfeasibleError,
            "Model is DEPLOY_FAILED: Ray's memory monitor killed a replica while it started: the node ran low on "
            "memory (22.37 of 23.54 GB were used)",
            id="killed by Ray's memory monitor",
        ),
        pytest.param(
            "OutOfMemoryError('1 worker(s) were killed due to the node running low on memory. ')",
            InfeasibleError,
            "while it started: the node ran low on memory",
            id="with no figures",
        ),
        pytest.param(REFUSED, InfeasibleError, "MemoryError: Unable to allocate 30. GiB", id="refused by Python"),
        pytest.param(OF_NUMPY, InfeasibleError, "Unable to allocate 30. GiB for an array", id="refused by NumPy"),
        pytest.param(OF_TORCH, InfeasibleError, "torch.OutOfMemoryError: CUDA out of memory", id="refused by a GPU"),
        pytest.param(
            "ActorDiedError()",
            ReplicaDiedError,
            "Model is DEPLOY_FAILED: the process of a replica died while it started, and Ray was not told why",
            id="killed by the kernel, or crashed",
        ),
        pytest.param(RAISED, DeploymentFailedError, "ValueError: no such model", id="its code raised"),
    ],
)
def test_a_replica_without_memory_is_infeasible_and_one_that_died_without_a_word_is_told_apart(error, kind, says):
    told = failed(error)
    assert type(told) is kind
    assert says in str(told)


def test_a_model_whose_name_speaks_of_memory_is_none_that_lacks_it():
    assert type(failed("ray::Replica()\nKeyError: 'MemoryError'")) is DeploymentFailedError
