"""One TCP connection that speaks HTTP/1.1, one answer at a time."""

from __future__ import annotations

import asyncio
import os
import re
from typing import Protocol

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

_END_OF_HEAD = b"\r\n\r\n"
_INTERIM = b"HTTP/1.1 100 Continue\r\n\r\n"  # stands for one that has arrived
_LENGTH = re.compile(rb"\n(?:content-length|transfer-encoding):", re.IGNORECASE)
_LONG = 1024  # bytes of an answer that are kept without cutting off the body: cutting takes longer than it saves
_write = os.write


class Owner(Protocol):
    """Who is told what happens on a connection."""

    busy: bool  # whether an answer is due

    def on_connected(self) -> None:
        """Requests can be written now."""

    def on_answer(self, status: int, answer: bytes, reusable: bool) -> None:
        """A complete answer has arrived; the connection takes the next request if it is `reusable`.

        Of `answer`, the raw bytes, only the head is sure to be complete.
        """

    def on_broken(self) -> None:
        """The connection could not be opened, has ended, or carries what is no answer to a request."""


class Connection(asyncio.Protocol):
    """Opens a connection, writes requests to it and finds where the answers begin and end.

    No failure raises: the owner hears of it by `on_broken`, and of nothing after that or after `close`.

    This is run for every request and kept short for that. The parser calls nothing for the headers, each of
    which would be a call of Python: heads are handed over raw, to be read when the load is over.
    """

    def __init__(self, owner: Owner) -> None:
        self._owner: Owner | None = owner
        self._transport: asyncio.WriteTransport | None = None
        self._opening: asyncio.Task | None = None
        self._parser = HttpResponseParser(self)
        self._feed = self._parser.feed_data
        self._head = b""  # what has arrived of an answer that comes in pieces, without the body
        self._complete = False
        self._status = 0
        self._reusable = False
        self._fd = -1

    def open(self, loop: asyncio.AbstractEventLoop, host: str, port: int) -> None:
        """Connect in the background."""
        self._opening = loop.create_task(loop.create_connection(lambda: self, host, port))
        self._opening.add_done_callback(self._on_opened)

    def write(self, request: bytes) -> None:
        """Send a request, once connected; the answer to the one before must have arrived.

        It leaves now. A transport would send it at the end of the event loop's turn: later than was noted.
        """
        try:
            written = _write(self._fd, request)
        except BlockingIOError:
            written = 0
        except OSError:
            return  # `on_broken` follows
        if written < len(request):
            self._transport.write(request[written:])  # type: ignore[union-attr]  # connected
            self.write = self._transport.write  # type: ignore[method-assign,assignment,union-attr]  # for it may not be done

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
        self._fd = transport.get_extra_info("socket").fileno()
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
        complete = self._complete
        if self._head or not complete or len(data) > _LONG:
            if self._head is _INTERIM or not self._head.endswith(_END_OF_HEAD):
                self._head = _last_head(self._head + data)
            if not complete:
                return
            data, self._head = self._head, b""
        self._complete = False
        self._owner.on_answer(self._status, data, self._reusable)  # type: ignore[union-attr]  # closed: no data

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: D102
        head, owner = self._head, self._owner
        if owner and exc is None and head.endswith(_END_OF_HEAD) and not _LENGTH.search(head):
            # such an answer ends with its connection (RFC 9112, section 6.3)
            owner.on_answer(self._parser.get_status_code(), head, reusable=False)
        else:
            self._break()

    # What httptools calls

    def on_message_begin(self) -> None:  # noqa: D102
        if self._complete or not self._owner.busy:  # type: ignore[union-attr]
            raise HttpParserError("an answer that nobody asked for")

    def on_message_complete(self) -> None:  # noqa: D102
        self._status = self._parser.get_status_code()
        if self._status >= 200:
            self._complete = True
            self._reusable = self._parser.should_keep_alive()  # only known in this callback
        else:
            self._head = self._head or _INTERIM  # the head that counts is behind an interim one

    # Ends

    def _on_opened(self, opening: asyncio.Task) -> None:
        if not opening.cancelled() and opening.exception() is not None:
            self._break()

    def _break(self) -> None:
        owner = self._owner
        self.close()
        if owner is not None:
            owner.on_broken()


def _last_head(received: bytes) -> bytes:
    """As much of the answer's head as there is; an interim answer (100, 103) in front of it is a head alone."""
    head, end, rest = received.partition(_END_OF_HEAD)
    while end and head.startswith((b"HTTP/1.1 1", b"HTTP/1.0 1")):
        head, end, rest = rest.partition(_END_OF_HEAD)
    return head + end
