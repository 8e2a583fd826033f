"""What is tried right after the baseline."""

import math

import pytest
import yaml

from orchestrator.experiment import ENCODING, read_experiment
from orchestrator.expert import PATIENT_S, first_guesses

FILE = {
    "app": {
        "import_path": "a:b",
        "deployments": [
            {
                "name": "Model",
                "num_replicas": 1,
                "max_ongoing_requests": 8,
                "user_config": {"max_batch_size": 1, "batch_wait_timeout_s": 0.0, "layout": "nchw"},
            }
        ],
    },
    "load": {"closed_loop": {"concurrency": 32}},
    "objective": {"maximize": "throughput_rps"},
}
REPLICAS, ONGOING = "Model.num_replicas", "Model.max_ongoing_requests"
BATCH, WAIT = "Model.user_config.max_batch_size", "Model.user_config.batch_wait_timeout_s"
THREADS, LAYOUT = "Model.user_config.intra_op_threads", "Model.user_config.layout"


def guesses(tmp_path, space, cores=4.0, **changes):
    text = yaml.safe_dump({**FILE, **changes, "name": "x", "space": space})
    return first_guesses(read_experiment(text, tmp_path / "x.yaml"), cores)


OPEN = {"load": {"open_loop": {"rate_rps": 200}}, "objective": {"minimize": "latency_mean_ms"}}


@pytest.mark.parametrize(
    ("space", "changes", "expected"),
    [
        pytest.param({REPLICAS: {"randint": [1, 8]}}, {}, {REPLICAS: 4}, id="a replica for each core"),
        pytest.param({REPLICAS: {"choice": [1, 2, 3]}}, {}, {REPLICAS: 3}, id="as many as may be"),
        pytest.param({REPLICAS: {"randint": [1, 8]}}, {"cores": math.nan}, None, id="cores are not known"),
        pytest.param({ONGOING: {"lograndint": [4, 512]}}, {}, {ONGOING: 512}, id="all that may be taken"),
        pytest.param({BATCH: {"choice": [64, 1, 48, 8]}}, {}, {BATCH: 48}, id="a batch holds all clients"),
        pytest.param({BATCH: {"randint": [1, 64]}}, {}, {BATCH: 32}, id="and no more"),
        pytest.param(
            {BATCH: {"randint": [1, 64]}, REPLICAS: {"randint": [1, 8]}}, {}, {BATCH: 8, REPLICAS: 4}, id="of a replica"
        ),
        pytest.param({BATCH: {"randint": [1, 64]}}, OPEN, {BATCH: 64}, id="nobody knows how many come"),
        pytest.param({WAIT: {"loguniform": [0.0001, 0.1]}}, {}, {WAIT: PATIENT_S}, id="a short wait"),
        pytest.param({WAIT: {"choice": [0.0, 0.005, 0.02]}}, {}, {WAIT: 0.005}, id="the shortest that is no less"),
        pytest.param({WAIT: {"choice": [0.02, 0.002]}}, OPEN, {WAIT: 0.002}, id="as short as may be"),
        pytest.param({LAYOUT: {"choice": ["nhwc", "nchw"]}}, {}, None, id="not known"),
        pytest.param(
            {ENCODING: {"choice": ["json", "binary"]}},
            {"workload": {"encoding": "json"}},
            {ENCODING: "binary"},
            id="binary tensors",
        ),
        pytest.param(
            {LAYOUT: {"choice": ["nhwc"]}, ONGOING: {"choice": [8, 9]}},
            {},
            {LAYOUT: "nhwc", ONGOING: 9},
            id="a baseline outside the space",
        ),
    ],
)
def test_the_guess_follows_rules_of_thumb(tmp_path, space, changes, expected):
    found = guesses(tmp_path, space, **changes)
    assert found == ([] if expected is None else [expected])


def test_cores_are_shared_by_all_deployments_and_used_by_threads(tmp_path):
    app = {"import_path": "a:b", "deployments": [{"name": "A"}, {"name": "B", "user_config": {"intra_op_threads": 1}}]}
    space = {
        "A.num_replicas": {"randint": [1, 8]},
        "B.num_replicas": {"randint": [1, 8]},
        "B.user_config.intra_op_threads": {"randint": [1, 8]},
    }
    (found,) = guesses(tmp_path, space, cores=8.0, app=app)
    assert found == {"A.num_replicas": 4, "B.num_replicas": 4, "B.user_config.intra_op_threads": 2}
