"""One TCP connection that speaks HTTP/1.1, one answer at a time."""

from __future__ import annotations

import asyncio
from typing import Protocol

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser


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
    """

    def __init__(self, owner: Owner) -> None:
        self._owner: Owner | None = owner
        self._transport: asyncio.WriteTransport | None = None
        self._opening: asyncio.Task | None = None
        self._parser = HttpResponseParser(self)
        self._feed = self._parser.feed_data
        self._expecting = False  # a request is out
        self._complete = False  # its answer is in
        self._head_complete = False
        self._length_known = False
        self._reusable = False
        self._server_timing = b""

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
        if self._complete:
            self._finish()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: D102
        if exc is None and self._head_complete and not self._length_known:
            self._reusable = False
            self._finish()  # such an answer ends with its connection (RFC 9112, section 6.3)
        else:
            self._break()

    # What httptools calls

    def on_message_begin(self) -> None:  # noqa: D102
        if self._complete or not self._expecting:
            raise HttpParserError("an answer that nobody asked for")
        self._length_known = False
        self._server_timing = b""

    def on_header(self, name: bytes, value: bytes) -> None:  # noqa: D102
        length = len(name)  # almost every header is ruled out by its length
        if length == 13 and name.lower() == b"server-timing":
            self._server_timing = self._server_timing + b"," + value if self._server_timing else value
        elif (length == 14 or length == 17) and name.lower() in (b"content-length", b"transfer-encoding"):
            self._length_known = True

    def on_headers_complete(self) -> None:  # noqa: D102
        self._head_complete = True

    def on_message_complete(self) -> None:  # noqa: D102
        parser = self._parser
        if parser.get_status_code() >= 200:
            self._complete = True
            self._reusable = parser.should_keep_alive()  # only known in this callback
        else:
            self._head_complete = False  # an interim answer (100, 103): the real one follows

    # Ends

    def _on_opened(self, opening: asyncio.Task) -> None:
        if not opening.cancelled() and opening.exception() is not None:
            self._break()

    def _finish(self) -> None:
        self._expecting = self._complete = self._head_complete = False
        owner = self._owner
        if owner is not None:
            owner.on_answer(self._parser.get_status_code(), self._server_timing, self._reusable)

    def _break(self) -> None:
        owner = self._owner
        self.close()
        if owner is not None:
            owner.on_broken()
