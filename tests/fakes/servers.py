"""Small HTTP servers on loopback that answer as a script says: well, badly, late or not at all."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from itertools import cycle

from orchestrator.load.endpoint import Endpoint
from tests.fakes.event_loop import turn

Behaviour = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[bool]]
"""Answers one request; returns whether the connection stays open."""

HEAD = b"HTTP/1.1 200 OK\r\n"
TIMING = b"queue;dur=1.5, batch;dur=0.5, compute;dur=3, batch-size;desc=8"


def says(*pieces: bytes, keep: bool = True) -> Behaviour:
    """Sends the pieces one by one, each in a packet of its own."""

    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            await turn()
        return keep

    return behave


def answer(status: bytes = b"200 OK", body: bytes = b"ok", headers: bytes = b"") -> bytes:
    return b"HTTP/1.1 %b\r\nContent-Length: %d\r\n%b\r\n%b" % (status, len(body), headers, body)


async def _never(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
    await reader.read()  # ends when the client has had enough
    return False


def once(released: asyncio.Event, then: Behaviour) -> Behaviour:
    """Does nothing until it is released."""

    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        await released.wait()
        return await then(reader, writer)

    return behave


ok = says(answer(headers=b"Server-Timing: " + TIMING + b"\r\n"))
untimed = says(answer())
unavailable = says(answer(b"503 Service Unavailable"))
redirect = says(answer(b"302 Found"))
no_content = says(b"HTTP/1.1 204 No Content\r\n\r\n")
split = says(*(bytes([byte]) for byte in answer(headers=b"Server-Timing: " + TIMING + b"\r\n")))
chunked = says(HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"2\r\nok\r\n", b"0\r\n\r\n")
interim = says(b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n", answer())
connection_close = says(answer(headers=b"Connection: close\r\n"), keep=False)
until_closed = says(HEAD + b"\r\nas long as it lasts", keep=False)
never = _never
closes_at_once = says(keep=False)
closes_mid_head = says(HEAD + b"Content-Le", keep=False)
closes_after_interim = says(b"HTTP/1.1 103 Early Hints\r\n\r\n", keep=False)
closes_mid_body = says(HEAD + b"Content-Length: 100\r\n\r\nonly this", keep=False)
closes_mid_chunk = says(HEAD + b"Transfer-Encoding: chunked\r\n\r\n64\r\nonly this", keep=False)
garbage = says(b"\x00\x01 this is not HTTP\r\n\r\n")
two_answers = says(answer() + answer())
upgrade = says(b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n")


class ScriptedServer:
    """Takes the behaviours of its script in turn, over all connections; remembers what it was asked."""

    def __init__(self, *script: Behaviour) -> None:
        self._script = cycle(script)
        self._idle = asyncio.Event()
        self._idle.set()
        self.connections = 0  # opened so far
        self.open_connections = 0
        self.requests: asyncio.Queue[bytes] = asyncio.Queue()  # first lines

    @classmethod
    @asynccontextmanager
    async def running(cls, *script: Behaviour):
        scripted = cls(*script)
        server = await asyncio.start_server(scripted._serve, "127.0.0.1", 0)
        try:
            yield scripted, Endpoint("127.0.0.1", server.sockets[0].getsockname()[1])
        finally:
            server.close()

    async def all_connections_closed(self) -> None:
        await asyncio.wait_for(self._idle.wait(), timeout=10)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.open_connections += 1
        self._idle.clear()
        try:
            while await self._answer(reader, writer):
                pass
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # the client has closed
        finally:
            writer.close()
            self.open_connections -= 1
            if not self.open_connections:
                self._idle.set()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = await reader.readuntil(b"\r\n\r\n")
        fields = (line.partition(b": ") for line in head.split(b"\r\n"))
        await reader.readexactly(next((int(value) for name, _, value in fields if name == b"Content-Length"), 0))
        self.requests.put_nowait(head.partition(b"\r\n")[0])
        return await next(self._script)(reader, writer)


def refusing_endpoint() -> Endpoint:
    """A port on which nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return Endpoint("127.0.0.1", free.getsockname()[1])
