"""A small Serve application for the tests: echoes, and breaks when it is configured to."""

from __future__ import annotations

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
