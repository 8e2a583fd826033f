"""Where requests go, what they carry, and the bytes that go over the wire."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110, section 5.6.2: names and methods
_HEADER_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")  # no CR, LF or NUL: no second header smuggled in
_PATH = re.compile(r"/[\x21\x22\x24-\x7e]*")  # visible ASCII without '#': a space would end the target
_HOST = re.compile(r"[0-9A-Za-z._:%-]+")
_FRAMING = frozenset({"host", "content-length", "transfer-encoding", "connection"})
_BODY_EXPECTED = frozenset({"POST", "PUT", "PATCH"})
_UNANSWERABLE = frozenset({"HEAD", "CONNECT"})  # their answers end by rules of their own


@dataclass(frozen=True)
class Endpoint:
    """An HTTP server and the path prefix of the application on it; `prefix` is empty or like `/slot-0`."""

    host: str
    port: int
    prefix: str = ""

    def __post_init__(self) -> None:
        if not _HOST.fullmatch(self.host):
            raise ValueError(f"not a host name or address: {self.host!r}")
        if not 0 < self.port < 65536:
            raise ValueError(f"a port is between 1 and 65535, not {self.port}")
        if self.prefix and (not _PATH.fullmatch(self.prefix) or self.prefix.endswith("/")):
            raise ValueError(f"a prefix begins with '/' and does not end with it: {self.prefix!r}")

    @classmethod
    def parse(cls, url: str) -> Endpoint:
        """`http://host[:port][/prefix]`; the port defaults to 80. ValueError says what is wrong."""
        try:
            parts = urlsplit(url)
            host, port = parts.hostname, parts.port
        except ValueError as error:
            raise ValueError(f"not a URL: {url!r} ({error})") from None
        if parts.scheme == "https":
            raise ValueError(f"only plain http can be measured, not https: {url!r}")
        if parts.scheme != "http" or not host:
            raise ValueError(f"an endpoint looks like http://127.0.0.1:8000/slot-0, not {url!r}")
        if parts.query or parts.fragment or "@" in parts.netloc:
            raise ValueError(f"an endpoint has no user, query or fragment: {url!r}")
        return cls(host, 80 if port is None else port, parts.path.rstrip("/"))

    @property
    def authority(self) -> str:
        """`host:port` as it stands in a URL and in the Host header."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def url(self) -> str:
        """The inverse of `parse`."""
        return f"http://{self.authority}{self.prefix}"


@dataclass(frozen=True)
class Payload:
    """One request as the application sees it; `path` follows the endpoint's prefix and may have a query."""

    body: bytes
    path: str = "/"
    method: str = "POST"
    headers: Mapping[str, str] = field(default_factory=dict)


def encode(endpoint: Endpoint, payload: Payload) -> bytes:
    """The HTTP/1.1 keep-alive request, ready to be written to a socket.

    ValueError for a path, method or header that cannot stand in a request, and for headers that frame the
    message (Host, Content-Length, Transfer-Encoding, Connection): those are set here.
    """
    if not _TOKEN.fullmatch(payload.method) or payload.method.upper() in _UNANSWERABLE:
        raise ValueError(f"requests cannot be sent with the method {payload.method!r}")
    if not _PATH.fullmatch(payload.path):
        raise ValueError(f"a path begins with '/' and is URL-encoded ASCII: {payload.path!r}")
    lines = [f"{payload.method} {endpoint.prefix}{payload.path} HTTP/1.1", f"Host: {endpoint.authority}"]
    for name, value in payload.headers.items():
        if not _TOKEN.fullmatch(name) or not _HEADER_VALUE.fullmatch(value):
            raise ValueError(f"not a valid header: {name!r}: {value!r}")
        if name.lower() in _FRAMING:
            raise ValueError(f"the header {name} is set by the load client")
        lines.append(f"{name}: {value}")
    if payload.body or payload.method in _BODY_EXPECTED:
        lines.append(f"Content-Length: {len(payload.body)}")
    return "\r\n".join([*lines, "\r\n"]).encode("latin-1") + payload.body
