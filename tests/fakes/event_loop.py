"""Letting an event loop go on, without waiting for any time to pass."""

from __future__ import annotations

import asyncio


async def turn() -> None:
    """One turn of the running event loop: whatever is ready by now is run."""
    loop = asyncio.get_running_loop()
    over = loop.create_future()
    loop.call_soon(over.set_result, None)
    await over
