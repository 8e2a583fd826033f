"""One TCP connection that speaks HTTP/1.1, one answer at a time."""

from __future__ import annotations

import asyncio
import re
from typing import Protocol

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from orchestrator.load.server_timing import find_server_timing

_END_OF_HEAD = b"\r\n\r\n"
_LENGTH = re.compile(rb"\n(?:content-length|transfer-encoding):", re.IGNORECASE)


class Owner(Protocol):
    """Who is told what happens on a connection."""

    def on_connected(self) -> None:
        """Requests can be written now."""

    def on_answer(self, status: int, server_timing: bytes, reusable: bool) -> None:
        """A complete answer has arrived; the connection takes the next request if it is `reusable`."""

    def on_broken(self) -> None:
        """The connection could not be opened, has ended, or carries what is no answer to a request."""


class Connection(asyncio.Protocol):
    """Opens a connection, writes requests to it and parses the answers.

    No failure raises: the owner hears of it by `on_broken`, and of nothing after that or after `close`.

    The parser decides where answers begin and end, but calls nothing for their headers: that would be a Python
    call each, and only one of them matters. It is looked up in the bytes of the head.
    """

    def __init__(self, owner: Owner) -> None:
        self._owner: Owner | None = owner
        self._transport: asyncio.WriteTransport | None = None
        self._opening: asyncio.Task | None = None
        self._parser = HttpResponseParser(self)
        self._feed = self._parser.feed_data
        self._head = b""  # of an answer that arrives in pieces; up to its end once that is there
        self._expecting = False  # a request is out, and no byte of its answer is in
        self._interim = False  # the answer's head is behind an interim one
        self._complete = False
        self._status = 0
        self._reusable = False

    def open(self, loop: asyncio.AbstractEventLoop, host: str, port: int) -> None:
        """Connect in the background."""
        self._opening = loop.create_task(loop.create_connection(lambda: self, host, port))
        self._opening.add_done_callback(self._on_opened)

    def write(self, request: bytes) -> None:
        """Send a request; the answer to the one before must have arrived."""
        self._expecting = True
        self._transport.write(request)  # type: ignore[union-attr]  # ignored once closing: `on_broken` follows

    def close(self) -> None:
        """Close at once, without waiting for anything."""
        self._owner = None
        if self._opening is not None:
            self._opening.cancel()
        if self._transport is not None:
            self._transport.abort()

    # What asyncio calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:  # noqa: D102
        self._transport = transport  # type: ignore[assignment]
        if self._owner is None:
            self._transport.abort()  # type: ignore[union-attr]
        else:
            self._owner.on_connected()

    def data_received(self, data: bytes) -> None:  # noqa: D102
        try:
            self._feed(data)
        except (HttpParserError, HttpParserUpgrade):
            self._break()
            return
        if self._head or self._interim or not self._complete:
            data = self._head = _last_head(self._head + data)
        if self._complete:
            self._finish(data.partition(_END_OF_HEAD)[0])

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: D102
        if exc is None and self._head.endswith(_END_OF_HEAD) and not _LENGTH.search(self._head):
            self._status = self._parser.get_status_code()
            self._reusable = False
            self._finish(self._head)  # such an answer ends with its connection (RFC 9112, section 6.3)
        else:
            self._break()

    # What httptools calls

    def on_message_begin(self) -> None:  # noqa: D102
        if not self._expecting:
            raise HttpParserError("an answer that nobody asked for")
        self._expecting = False

    def on_message_complete(self) -> None:  # noqa: D102
        self._status = self._parser.get_status_code()
        if self._status >= 200:
            self._complete = True
            self._reusable = self._parser.should_keep_alive()  # only known in this callback
        else:
            self._expecting = self._interim = True  # (100, 103): the real one follows

    # Ends

    def _on_opened(self, opening: asyncio.Task) -> None:
        if not opening.cancelled() and opening.exception() is not None:
            self._break()

    def _finish(self, head: bytes) -> None:
        self._head = b""
        self._interim = self._complete = False
        if self._owner is not None:
            self._owner.on_answer(self._status, find_server_timing(head), self._reusable)

    def _break(self) -> None:
        owner = self._owner
        self.close()
        if owner is not None:
            owner.on_broken()


def _last_head(received: bytes) -> bytes:
    """As much of the answer's head as has been `received`; interim answers before it have nothing but a head."""
    head, end, rest = received.partition(_END_OF_HEAD)
    while end and head.startswith((b"HTTP/1.1 1", b"HTTP/1.0 1")):
        head, end, rest = rest.partition(_END_OF_HEAD)
    return head + end
