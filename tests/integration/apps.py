"""A small Serve application for the tests: echoes, and breaks when it is configured to."""

from __future__ import annotations

import asyncio
import os

from ray import serve
from starlette.requests import Request


@serve.deployment(name="Echo")
class Echo:
    def __init__(self) -> None:
        self.mode = "good"

    def reconfigure(self, user_config: dict) -> None:
        if user_config.get("mode") == "broken":
            raise ValueError("mode 'broken' is not supported")
        self.mode = user_config.get("mode", "good")

    async def __call__(self, request: Request) -> dict:
        return {"mode": self.mode, "pid": os.getpid(), "asked": (await request.body()).decode()}


def build(args: dict) -> serve.Application:
    return Echo.bind()


@serve.deployment(name="Slow")
class Slow:
    """Answers each request after so many seconds; many at a time, as its `max_ongoing_requests` says."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    async def __call__(self, request: Request) -> dict:
        await request.body()
        await asyncio.sleep(self.seconds)
        return {}


def build_slow(args: dict) -> serve.Application:
    return Slow.bind(args["seconds"])
