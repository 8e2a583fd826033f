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


@serve.deployment(name="Sleeper")
class Sleeper:
    """Answers one request after the other, each after so many seconds."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.turn = asyncio.Lock()

    async def __call__(self, request: Request) -> dict:
        await request.body()
        async with self.turn:
            await asyncio.sleep(self.seconds)
        return {}


def build_precise(args: dict) -> serve.Application:
    """A model that is four times as fast in int8, cannot have fp16, and takes no other argument."""
    if unknown := sorted(args.keys() - {"precision"}):
        raise ValueError(f"args has {', '.join(unknown)}, and takes only precision")
    if args.get("precision") == "fp16":
        raise ValueError("infeasible: args.precision is fp16, and nothing here computes in it")
    return Sleeper.bind(0.004 if args.get("precision") == "int8" else 0.016)
