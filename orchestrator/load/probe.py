"""Waits until an endpoint answers: a proxy learns of new replicas a moment after they are ready."""

from __future__ import annotations

import http.client
import socket
import time
from collections.abc import Callable

from orchestrator.load.endpoint import Endpoint

NOT_ROUTED = frozenset({0, 404, 502, 503})
"""No answer at all, or what a proxy says while it knows no replica."""

PAUSE_S = 0.02


def wait_for_answer(
    endpoint: Endpoint,
    request: bytes,
    timeout_s: float,
    clock: Callable[[], float] = time.monotonic,
    pause: Callable[[float], None] = time.sleep,
) -> int:
    """Sends `request` until something other than the proxy answers it, for `timeout_s` seconds at the most.

    Returns the last HTTP status: one of `NOT_ROUTED` (0 for no answer) when the time is over.
    """
    deadline = clock() + timeout_s
    while True:
        status = ask(endpoint, request, timeout_s)
        if status not in NOT_ROUTED or clock() >= deadline:
            return status
        pause(PAUSE_S)


def ask(endpoint: Endpoint, request: bytes, timeout_s: float) -> int:
    """Sends `request` once; returns the HTTP status, 0 for no answer within `timeout_s` seconds."""
    try:
        with socket.create_connection((endpoint.host, endpoint.port), timeout=timeout_s) as connection:
            connection.sendall(request)
            response = http.client.HTTPResponse(connection)
            response.begin()
            response.read()
            return response.status
    except (OSError, http.client.HTTPException):
        return 0
