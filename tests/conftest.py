"""How the tests are shared out when several processes run them (`pytest -n 2`)."""

from __future__ import annotations

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling


class OneClusterAtATime(LoadFileScheduling):
    """Tests of a file stay together, for they share its fixtures, and all integration tests do: clusters take ports."""

    def _split_scope(self, nodeid: str) -> str:
        file = super()._split_scope(nodeid)
        return "integration" if file.startswith("tests/integration/") else file


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> OneClusterAtATime:
    return OneClusterAtATime(config, log)
