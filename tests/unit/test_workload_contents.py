"""What requests hold, told by their first bytes."""

import pytest

from orchestrator.workload.contents import jpeg_share
from orchestrator.workload.plan import Workload

MODULE = """
def jpegs(seed):
    return [{"body": b"\\xff\\xd8\\xff\\xe0 and so on"}] * 3

def half(seed):
    return [{"body": b"\\xff\\xd8\\xff\\xe0 and so on"}, {"body": b"\\xff\\xd8 is no marker"}]
"""

WORKLOADS = {
    "pictures": ({"payloads": "some_pictures:jpegs"}, 1.0),
    "some of them": ({"payloads": "some_pictures:half"}, 0.5),
    "random tensors": ({}, 0.0),
    "a file of tensors": ({"payloads": "inputs.npz"}, 0.0),
    "a mix, by weight": (
        {"mix": [{"payloads": "some_pictures:jpegs", "weight": 3.0}, {"payloads": "inputs.jsonl"}]},
        0.75,
    ),
}


@pytest.mark.parametrize(("workload", "share"), WORKLOADS.values(), ids=WORKLOADS)
def test_the_share_of_jpeg_pictures(workload, share, tmp_path):
    (tmp_path / "some_pictures.py").write_text(MODULE)
    assert jpeg_share(Workload.model_validate(workload), tmp_path) == share
