"""Replicas of our applications without Serve: requests that come together are answered in one event loop."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from starlette.requests import Request


def answered_together(
    make: Callable[[], Any], user_config: Mapping[str, Any], path: str, bodies: Sequence[bytes]
) -> list[tuple[int, Any, str]]:
    """(status, document, Server-Timing) of what `make` returns, which is called within the loop."""

    async def ask() -> list[tuple[int, Any, str]]:
        replica = make()
        await replica.reconfigure(user_config)

        def request(body: bytes) -> Request:
            async def receive() -> dict[str, Any]:
                return {"type": "http.request", "body": body, "more_body": False}

            scope = {"type": "http", "method": "POST", "path": path, "headers": [], "query_string": b""}
            return Request(scope, receive)

        answers = await asyncio.gather(*(replica(request(body)) for body in bodies))
        return [
            (answer.status_code, json.loads(answer.body), dict(answer.raw_headers)[b"server-timing"].decode())
            for answer in answers
        ]

    return asyncio.run(ask())
