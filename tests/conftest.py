"""What all tests share."""

from __future__ import annotations

import pytest


@pytest.hookimpl(tryfirst=True)  # before xdist, which writes the groups down
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """When several processes run the tests, those of a file stay together: they share its fixtures.

    Integration tests stay together all of them: clusters take ports.
    """
    for item in items:
        directory = item.path.parent.name
        item.add_marker(pytest.mark.xdist_group(directory if directory == "integration" else item.path.name))
