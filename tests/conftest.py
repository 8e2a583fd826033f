"""How the tests are shared out when several processes run them (`pytest -n 2`), and how properties are tried out."""

from __future__ import annotations

import gc
import os

import pytest
from hypothesis import settings
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling

# Models of a few points are slower with several threads than with one: these wait for each other. Read at import.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# The same examples every time, and half as many as usual: a failure is to be had again.
settings.register_profile("seeded", max_examples=50, deadline=None, derandomize=True)
settings.load_profile("seeded")


class OneClusterAtATime(LoadFileScheduling):
    """Tests of a file stay together, for they share its fixtures, and all integration tests do: clusters take ports."""

    def _split_scope(self, nodeid: str) -> str:
        file = super()._split_scope(nodeid)
        return "integration" if file.startswith("tests/integration/") else file


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Integration tests first: all the others have passed before these have.

    Of them those come last that share a cluster: it is up from the first of these on, and in the way of others.
    """

    def rank(item: pytest.Item) -> int:
        if "integration" not in item.path.parts:
            return 2
        return 1 if "cluster" in getattr(item, "fixturenames", ()) else 0

    items.sort(key=rank)


def pytest_collection_finish() -> None:
    """What collecting made lives as long as the run: the garbage collector need not look through it again and again."""
    gc.freeze()
    gc.enable()


gc.disable()  # until all is collected


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> OneClusterAtATime:
    return OneClusterAtATime(config, log)
